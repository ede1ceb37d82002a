"""DuckDB as a change tracker: the state is a database file, two threads.

    duck.py whole-first DB FILE      every column of every row is stored
    duck.py hash-first DB FILE       only the key and a 64-bit hash of the row
    duck.py hash-next DB FILE LISTS  compares, brings the table up to date, writes LISTS/{new,changed,removed}.txt
"""
import os
import sys

import duckdb

job, database, file = sys.argv[1:4]
db = duckdb.connect(database)
db.execute("SET threads = 2")
rows = f"read_ndjson_auto('{file}')" if file.endswith("json") else f"read_csv('{file}', header = true, all_varchar = true)"
if job == "whole-first":
    db.execute(f"CREATE TABLE registry AS FROM {rows}")
else:
    key, *others = ['"' + row[0] + '"' for row in db.execute(f"DESCRIBE FROM {rows}").fetchall()]
    seen = f"SELECT {key} AS code, hash({', '.join(others)}) AS content FROM {rows}"
    if job == "hash-first":
        db.execute(f"CREATE TABLE registry AS {seen}")
    else:
        db.execute(
            f"CREATE TEMP TABLE difference AS SELECT coalesce(n.code, o.code) AS code, n.content AS content, "
            f"CASE WHEN o.code IS NULL THEN 'new' WHEN n.code IS NULL THEN 'removed' ELSE 'changed' END AS what "
            f"FROM ({seen}) n FULL JOIN registry o ON n.code = o.code WHERE n.content IS DISTINCT FROM o.content")
        for what in ("new", "changed", "removed"):
            target = os.path.join(sys.argv[4], what + ".txt")
            db.execute(f"COPY (SELECT code FROM difference WHERE what = '{what}') TO '{target}' (FORMAT csv, HEADER false)")
        db.execute("BEGIN")
        db.execute("DELETE FROM registry WHERE code IN (SELECT code FROM difference)")
        db.execute("INSERT INTO registry SELECT code, content FROM difference WHERE what <> 'removed'")
        db.execute("COMMIT")
db.execute("CHECKPOINT")
