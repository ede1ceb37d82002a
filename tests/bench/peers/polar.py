"""Polars: a CSV file becomes a Parquet file, every column a text; nothing is checked or synced.   polar.py FILE PARQUET"""
import sys

import polars

polars.read_csv(sys.argv[1], infer_schema=False).write_parquet(sys.argv[2])
