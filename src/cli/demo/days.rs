//! The days of a demo: the city lives, departments deliver, what the schedules say is due runs, clerks and firms act.
//!
//! Everything of a day can be done again: files are the same bytes, slots that ran are in the ledger, clerks look at what is
//! already recorded. So a demo that was killed continues by living the city again up to the unfinished day.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan};

use crate::adapter::endpoint::Endpoint;
use crate::calendar::shanghai;
use crate::cli::console::Console;
use crate::cli::demo::clerks::Desks;
use crate::cli::demo::{Cut, Progress, furnish, io, place, write_progress};
use crate::cli::progress;
use crate::cli::serve::{activate, put_in_force};
use crate::cli::session::{Session, Unopened, open};
use crate::courier::Couriers;
use crate::daemon::plan::{next, plan};
use crate::demo::city::{City, Told};
use crate::demo::departments::{Folders, Shelves};
use crate::demo::dirt::Tally;
use crate::demo::firm::State;
use crate::demo::ftp_server::FtpServer;
use crate::demo::home;
use crate::demo::program::Program;
use crate::demo::server::{Desk as Counter, Server};
use crate::demo::sftp_server::{SftpServer, host_key};
use crate::domain::batch::{Batch, Verdict};
use crate::domain::case::{CaseEvent, ClerkEvent};
use crate::domain::coverage::{RollKnowledge, Standing, assess_all};
use crate::domain::finding::Insurance;
use crate::domain::register::Placed;
use crate::tasks::known::register;
use crate::tasks::pull::{Source, run as pull};
use crate::tasks::reading::{Delivered, read_held};
use crate::tasks::{Desk, Failure};

/// The source whose cut delivery the demo asks “what if” about.
const ROLL: &str = "insured-roll";

/// A demo on its way.
pub struct Run {
    /// The output folder.
    pub out: PathBuf,
    /// How far it has come.
    pub progress: Progress,
    /// The city.
    pub city: City,
    session: Session,
    couriers: Couriers,
    /// What the departments' interfaces serve, and their server, with the runtime it lives on.
    counter: Counter,
    _server: Server,
    /// What the licensing office lets us run.
    program: Program,
    /// What departments show on their servers of files, and these servers.
    shelves: Shelves,
    _express: SftpServer,
    _food: FtpServer,
    _network: tokio::runtime::Runtime,
    since: Timestamp,
    /// What firms heard on a day that this process lived from its morning to its evening.
    heard: Option<(Date, Vec<Told>)>,
    /// Whether the next day may have been begun by a process that was killed.
    resumed: bool,
}

impl Run {
    /// Opens the home (furnishing a new one), lives the city up to where an interrupted demo stood.
    pub fn begin(out: &Path, at: &Path, progress: Progress) -> Result<Self, Unopened> {
        let failure = Unopened::Failure;
        let seed = progress.options.seed;
        furnish(at, seed).map_err(failure)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(io("启动网络运行时"))
            .map_err(failure)?;
        let counter = Counter::default();
        let server = Server::start(runtime.handle(), counter.clone())
            .map_err(io("启动演示部门接口"))
            .map_err(failure)?;
        // Addresses go in as values: no file of the demo holds a port or a temporary folder.
        let mut place = place(at);
        for name in ["tax", "transport"] {
            let endpoint = Endpoint {
                url: Some(server.base_url().to_owned()),
                ..Endpoint::default()
            };
            place.overrides.endpoints.insert(name.to_owned(), endpoint);
        }
        let program = Program::install()
            .map_err(io("放置演示程序"))
            .map_err(failure)?;
        let endpoint = Endpoint {
            program: Some(
                program
                    .path()
                    .map_err(io("放置演示程序"))
                    .map_err(failure)?,
            ),
            ..Endpoint::default()
        };
        place
            .overrides
            .endpoints
            .insert("dispatch".to_owned(), endpoint);
        let shelves = Shelves::default();
        let express = SftpServer::start(
            runtime.handle(),
            host_key(seed),
            home::account(),
            shelves.express.clone(),
        )
        .map_err(io("启动演示部门文件服务"))
        .map_err(failure)?;
        place
            .overrides
            .endpoints
            .insert("express".to_owned(), home::express(seed, express.port()));
        let food = FtpServer::start(runtime.handle(), home::account(), shelves.food.clone())
            .map_err(io("启动演示部门文件服务"))
            .map_err(failure)?;
        place
            .overrides
            .endpoints
            .insert("food".to_owned(), home::food(food.port()));
        let session = open(&place)?;
        let couriers = session.couriers().map_err(failure)?;
        let since = shanghai::instant(progress.options.start.at(0, 0, 0, 0));
        let city = City::new(progress.options.clone());
        let mut run = Self {
            out: out.to_path_buf(),
            progress,
            city,
            session,
            couriers,
            counter,
            _server: server,
            program,
            shelves,
            _express: express,
            _food: food,
            _network: runtime,
            since,
            heard: None,
            resumed: true,
        };
        run.relive().map_err(failure)?;
        Ok(run)
    }

    /// The last day.
    pub fn last_day(&self) -> Date {
        let days = i64::from(self.progress.options.days) - 1;
        self.progress.options.start.saturating_add(days.days())
    }

    /// A desk on the evening of the last day.
    pub fn closing_desk(&self) -> Desk<'_> {
        self.session.desk_at(shanghai::instant(
            self.last_day().to_datetime(time(18, 0, 0, 0)),
        ))
    }

    /// Lives the days that are over once more: the city only, told what the journal says it was told.
    fn relive(&mut self) -> Result<(), Failure> {
        let Some(done) = self.progress.done else {
            return Ok(());
        };
        let mut day = self.progress.options.start;
        while day <= done {
            let told = self.told(day)?;
            self.city
                .advance(day, &self.session.configuration.calendar, &told);
            self.city.fill(&self.counter, day);
            self.city.shelve(&self.shelves, day);
            day = day.saturating_add(1.day());
        }
        Ok(())
    }

    /// What firms heard the day before: posted letters and answered calls, as the journal has them.
    fn told(&self, day: Date) -> Result<Vec<Told>, Failure> {
        let before = day.saturating_sub(1.day());
        let mut told = BTreeSet::new();
        for dated in self.session.store.case_events() {
            let dated = dated?;
            if dated.day != before {
                continue;
            }
            let CaseEvent::Clerk {
                clerk_event, date, ..
            } = &dated.change
            else {
                continue;
            };
            let how = match clerk_event {
                ClerkEvent::Posted => crate::demo::city::Channel::Letter,
                ClerkEvent::Phoned => crate::demo::city::Channel::Call,
                _ => continue,
            };
            if let Some(case) = self.session.store.case(&dated.case)? {
                told.insert((case.credit_code, *date, how));
            }
        }
        Ok(told
            .into_iter()
            .map(|(credit_code, day, how)| Told {
                credit_code,
                day,
                how,
            })
            .collect())
    }

    /// All days that are not over yet.
    pub fn all_days(&mut self, console: &Console<'_>) -> Result<(), Failure> {
        put_in_force(self.session.desk_at(self.since))?;
        let (start, last) = (self.progress.options.start, self.last_day());
        let bar = progress::days(console, self.progress.options.days);
        self.session.watch = progress::rows_on(&bar);
        let mut day = self
            .progress
            .done
            .map_or(start, |done| done.saturating_add(1.day()));
        bar.set_position(u64::try_from((day - start).get_days()).unwrap_or(0));
        while day <= last {
            bar.set_message(day.to_string());
            let delivered = self.day(day)?;
            self.progress.dirt += delivered;
            self.progress.done = Some(day);
            write_progress(&self.out, &self.progress)?;
            bar.inc(1);
            day = day.saturating_add(1.day());
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Lives one day; the rows that came on it are counted.
    fn day(&mut self, day: Date) -> Result<Tally, Failure> {
        let told = match self.heard.take() {
            Some((before, told)) if before == day.saturating_sub(1.day()) => told,
            _ => self.told(day)?,
        };
        self.city
            .advance(day, &self.session.configuration.calendar, &told);
        let inbox = self.session.configuration.home.root.join("inbox");
        let folders = Folders {
            market_regulation: &inbox.join("market-regulation"),
            insured_roll: &inbox.join("insured-roll"),
            desk: Some(&self.counter),
        };
        let published = self
            .city
            .publish(day, &self.session.configuration.calendar, folders)
            .map_err(io("写演示部门数据"))?;
        let mut delivered = published.tally;
        delivered += self
            .city
            .stock(&self.program, day)
            .map_err(io("写演示部门数据"))?;
        delivered += self.city.shelve(&self.shelves, day);
        if day == self.progress.options.start {
            self.carry_history(day)?;
        }
        self.slots(day)?;
        let mut heard = Vec::new();
        if self.session.configuration.calendar.is_working_day(day) {
            let desk = self.at(day, 15);
            heard = Desks::new(&self.city, &self.session.configuration.calendar).work(desk)?;
        }
        self.what_if(day)?;
        // What a killed process recorded on this day stands only in the journal.
        self.heard = (!std::mem::take(&mut self.resumed)).then_some((day, heard));
        Ok(delivered)
    }

    fn at(&self, day: Date, hour: i8) -> Desk<'_> {
        self.session
            .desk_at(shanghai::instant(day.at(hour, 30, 0, 0)))
    }

    /// Runs every slot of the day in its order, on the same plan as the daemon.
    fn slots(&self, day: Date) -> Result<(), Failure> {
        let configuration = &self.session.configuration;
        let mut now = shanghai::instant(day.at(0, 0, 0, 0))
            .saturating_sub(1.second())
            .unwrap_or(self.since);
        let end = shanghai::instant(day.at(23, 59, 59, 0));
        loop {
            let slot = configuration
                .schedules
                .iter()
                .filter_map(|schedule| next(schedule, now, &configuration.calendar))
                .min();
            let Some(slot) = slot.filter(|slot| *slot <= end) else {
                return Ok(());
            };
            now = slot;
            let ledger = self.session.store.runs()?;
            let desk = self.session.desk_at(now);
            for activation in plan(
                now,
                self.since,
                &configuration.schedules,
                &ledger,
                &configuration.calendar,
            ) {
                activate(desk, &self.couriers, &activation)?;
            }
        }
    }

    /// Earlier months of the tax data come by hand, as they would when the programme is set up.
    fn carry_history(&self, day: Date) -> Result<(), Failure> {
        let folder = self.session.configuration.home.root.join("inbox/history");
        for file in self
            .city
            .history_files(&folder)
            .map_err(io("写演示历史数据"))?
        {
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            if self
                .session
                .store
                .taken_name("tax", &name.unwrap_or_default())?
                .is_some()
            {
                continue;
            }
            pull(
                self.at(day, 6),
                "tax",
                &Source::Carried { file, given: false },
                false,
            )?;
        }
        Ok(())
    }

    /// What a quarantined roll of this day would have done, had it been believed: firms asked that owe nothing.
    fn what_if(&mut self, day: Date) -> Result<(), Failure> {
        if self.progress.cut.is_some() {
            return Ok(());
        }
        let desk = self.at(day, 17);
        let held = desk
            .store
            .batches(Some(ROLL), 3)?
            .into_iter()
            .find(|batch| {
                batch.verdict == Verdict::Quarantined
                    && shanghai::civil(batch.received).date() == day
            });
        let Some(batch) = held else { return Ok(()) };
        let by_unit = self.accused_by(desk, &batch)?;
        let before = desk.store.head(ROLL)?.map_or(0, |head| head.rows);
        self.progress.cut = Some(Cut {
            batch: batch.batch,
            day,
            by_unit,
            rows: (before, batch.rows),
        });
        Ok(())
    }

    fn accused_by(
        &self,
        desk: Desk<'_>,
        batch: &Batch,
    ) -> Result<std::collections::BTreeMap<String, u64>, Failure> {
        let mut by_unit = std::collections::BTreeMap::new();
        let adapter = crate::tasks::pull::adapter_named(desk, ROLL)?;
        let path = desk.store.archived(&batch.digest);
        let key = crate::tasks::pseudonym::pseudonym_key(desk, adapter)?;
        let delivered = Delivered {
            path: &path,
            name: &batch.file,
            day: desk.today(),
            pseudonym_key: &key,
        };
        let Ok(held) = read_held(delivered, adapter, &|_| {}) else {
            return Ok(by_unit);
        };
        let as_of = held.reading.as_of;
        let placed: Vec<Placed> = held
            .records
            .into_values()
            .map(|(record, row)| Placed {
                adapter: ROLL.to_owned(),
                batch: batch.batch.clone(),
                file: batch.file.clone(),
                row,
                as_of,
                precedence: adapter.precedence,
                missed: 0,
                record,
            })
            .collect();
        let register = register(desk, Some((ROLL, placed)))?;
        let roll = RollKnowledge {
            as_of,
            known: Insurance::ALL.into_iter().collect(),
            adapter: ROLL.to_owned(),
            batch: batch.batch.clone(),
            file: batch.file.clone(),
        };
        let assessments = assess_all(
            &register,
            &desk.configuration.rules,
            &roll,
            &desk.store.surveys()?,
            desk.today(),
        );
        for (assessment, enterprise) in assessments.iter().zip(&register.enterprises) {
            let owes = self
                .city
                .standing(&enterprise.credit_code, desk.today())
                .is_some_and(|standing| standing.state == State::Owes);
            if assessment.standing == Standing::Doubtful && !owes {
                *by_unit.entry(assessment.unit.clone()).or_default() += 1;
            }
        }
        Ok(by_unit)
    }
}
