//! The command line: every command, option and example, as `--help` shows it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::case::ClerkEvent;
use crate::domain::roster::Roster;

/// 应保: finds enterprises that may owe social insurance, has clerks check each, and follows it up by the legal clock.
#[derive(Debug, Parser)]
#[command(
    name = "yingbao",
    version,
    about,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    /// Folder with config/, adapters/ and schedules/ (or YINGBAO_HOME; default: the current folder)
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// State folder (default: the setting `state`, below home)
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// One JSON document or JSON lines on standard output, nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands that work.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole job on a synthetic city, offline
    #[command(
        after_help = "Example:\n  yingbao demo --enterprises 2000 --days 120 --seed 1 --out demo-out"
    )]
    Demo(DemoArguments),
    /// The daemon
    #[command(
        after_help = "Example:\n  yingbao --home /srv/yingbao serve\n\nEnds cleanly on SIGTERM and SIGINT."
    )]
    Serve,
    /// Check every file of config/, adapters/ and schedules/; all faults at once
    #[command(
        after_help = "Examples:\n  yingbao check --json\n  yingbao check --samples\n  yingbao check --samples tests/samples --write\n\nExit: 0 no fault, 1 a sample gives something else than expected, 2 faults."
    )]
    Check(CheckArguments),
    /// One batch through the same door, guards and ledger as an automatic pull
    #[command(
        after_help = "Examples:\n  yingbao pull insured-roll\n  yingbao pull tax --file 202603.csv --json\n  yingbao pull tax --file 202603.csv --move\n\nExit: 0 accepted or seen before, 1 quarantined or refused, 3 unreachable."
    )]
    Pull(PullArguments),
    /// Run one task now
    #[command(
        after_help = "Examples:\n  yingbao run review\n  yingbao run review --all\n  yingbao run escalate --dry-run\n  yingbao run publish --date 2026-04-01"
    )]
    Run(RunArguments),
    /// What an adapter makes of a file; stores nothing
    #[command(
        after_help = "Example:\n  yingbao preview tax 202603.csv --json\n\nExit: 0 it would be accepted, 1 quarantined or refused."
    )]
    Preview(PreviewArguments),
    /// Propose an adapter from a sample of an export; stores nothing
    #[command(
        after_help = "Examples:\n  yingbao draft 202603.csv > adapters/tax.toml\n  yingbao draft cbdj.xlsx --record insured_roll --json\n\nThe proposal is for a person to correct. Exit: 0 proposed, 1 not readable or a required field was not found."
    )]
    Draft(DraftArguments),
    /// Batches and quarantine
    #[command(
        after_help = "Examples:\n  yingbao batch list --adapter tax\n  yingbao batch show tax-20260302-1a2b3c4d --issues-xlsx 税务问题清单.xlsx\n  yingbao batch release insured-roll-20260413-1a2b3c4d --by 张三 --reason \"已与信息科核对行数\"\n  yingbao batch withdraw insured-roll-20260413-1a2b3c4d --by 张三 --reason \"来源部门来函：导出范围有误\""
    )]
    Batch(BatchArguments),
    /// What a batch changed: new, changed (before → after), missing, returned
    #[command(
        after_help = "Example:\n  yingbao changes --adapter market-regulation --json\n\nExit: 0 shown, 1 no such batch."
    )]
    Changes(ChangesArguments),
    /// All that is known of an enterprise, and why each verdict holds
    #[command(
        after_help = "Example:\n  yingbao enterprise 91411303MA49U85BX9\n\nExit: 0 found, 1 not found or several of that name."
    )]
    Enterprise(EnterpriseArguments),
    /// Identifiers
    #[command(
        subcommand,
        after_help = "Example:\n  cut -f1 firms.tsv | yingbao code check --json"
    )]
    Code(CodeCommand),
    /// Size class by 国统字〔2017〕213号 and 银发〔2015〕309号: JSON lines in, JSON lines out
    #[command(
        after_help = "Example:\n  echo '{\"industry\":\"6513\",\"employees\":103,\"revenue_wan\":15735.28}' | yingbao classify\n  yingbao classify --compare 拟启用规则/\n\nWith --compare the register is classed under the tables of that folder (size-2017.toml, finance-2015.toml, new-form.toml, liability.toml)\nbeside those in force: whom they would touch, and how many; nothing is stored. Exit: 0, 2 a table has faults."
    )]
    Classify(ClassifyArguments),
    /// Cases; record an event by a named person
    #[command(
        subcommand,
        after_help = "Examples:\n  yingbao case list --unit 宛城区\n  yingbao case show EMA49U85BX-A-1\n  yingbao case record EMA49U85BX-A-1 --event confirmed --by 李四 --date 2026-03-20"
    )]
    Case(CaseCommand),
    /// Pairs that may be one firm: who decides, and what was decided
    #[command(
        subcommand,
        after_help = "Examples:\n  yingbao identity list\n  yingbao identity same unit:4113000007 91411303MA49U85BX9 --by 张三 --reason \"与单位电话核实，系同一单位\""
    )]
    Identity(IdentityCommand),
    /// Lists of enterprises beside the cases
    #[command(
        after_help = "Examples:\n  yingbao list survey --unit 宛城区\n  yingbao list not-decidable --json\n\nsurvey: nothing or too little known of its staff; suspended: its own suspension of business, labour relation to be verified;\nmedium-large; tax: registered and not paying; not-decidable: its data cannot be true; undecided: its class cannot be decided;\ncovered-elsewhere: by a clerk's answer that holds; ended: cancelled, revoked, liquidating, moved. Exit: 0, 2 no such unit."
    )]
    List(ListArguments),
    /// Record what a named person found out about an enterprise's staff
    #[command(
        after_help = "Examples:\n  yingbao survey 91411303MA49U85BX9 --heads 6 --by 李四 --date 2026-04-01 --proof 走访记录2026001号\n  yingbao survey 91411303MA49U85BX9 --relation without --injury-cover yes --by 李四 --date 2026-04-01\n\nA visit counts as evidence of staff for review.visit_days. Exit: 0 recorded, 1 no such enterprise or refused, 2 nothing to record."
    )]
    Survey(SurveyArguments),
    /// Notices of the outbox
    #[command(subcommand, after_help = "Example:\n  yingbao notice list --in failed")]
    Notice(NoticeCommand),
    /// Jobs: last and next runs
    #[command(
        subcommand,
        after_help = "Example:\n  yingbao schedule next --count 20"
    )]
    Schedule(ScheduleCommand),
    /// Last, next and missed runs; age of each source; what is held and why
    #[command(
        after_help = "Example:\n  yingbao status\n\nExit: 0 all is well, 1 something is stale, held, failed or missed."
    )]
    Status,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Also run the samples beside the adapters: a folder per adapter, a folder per case (default: samples/ below home)
    #[arg(long, value_name = "DIR")]
    pub samples: Option<Option<PathBuf>>,
    /// Write what the samples give now as what is expected; look at the difference afterwards
    #[arg(long, requires = "samples")]
    pub write: bool,
}

/// How dirty the synthetic exports are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DirtLevel {
    /// None at all
    None,
    /// At least one row in twenty is touched
    Default,
    /// Three times that
    Heavy,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Enterprises in the city
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    pub enterprises: u32,
    /// Days from 2026-03-02
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub days: u32,
    /// The same seed gives the same city, to the byte
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Dirt in the exports
    #[arg(long, value_enum, default_value_t = DirtLevel::Default)]
    pub dirt: DirtLevel,
    /// Output folder
    #[arg(long, default_value = "demo-out", value_name = "DIR")]
    pub out: PathBuf,
}

/// Options of `pull`.
#[derive(Debug, Args)]
pub struct PullArguments {
    /// Name of the adapter
    pub adapter: String,
    /// A hand-carried file instead of the department's address
    #[arg(long, value_name = "F")]
    pub file: Option<PathBuf>,
    /// Take the file away once it is in the archive: linked, not copied, on the same file system
    #[arg(long = "move", requires = "file", conflicts_with = "dry_run")]
    pub given: bool,
    /// Judge it and store nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The task
    #[arg(value_enum)]
    pub task: TaskArgument,
    /// The day it is run for, not after today (publish: the month before it)
    #[arg(long, value_name = "D")]
    pub date: Option<jiff::civil::Date>,
    /// Say what it would do, commit nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Judge everybody, not only whom changes may concern (review)
    #[arg(long)]
    pub all: bool,
}

/// The tasks that `run` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaskArgument {
    /// Open, refresh, move and close cases by the data
    Review,
    /// Take cases one step along the ladder
    Escalate,
    /// Put due notices into the outbox
    Notify,
    /// Hand the outbox to the couriers
    Deliver,
    /// Draft the bulletin of the month before
    Publish,
    /// Look for silence: stale feeds, stuck notices, missed steps
    Selfcheck,
    /// Write index and tracking files anew, so that they do not grow with what was overwritten
    Compact,
}

/// Options of `preview`.
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// Name of the adapter
    pub adapter: String,
    /// The file
    pub file: PathBuf,
}

/// Options of `draft`.
#[derive(Debug, Args)]
pub struct DraftArguments {
    /// The sample
    pub file: PathBuf,
    /// What its rows are, instead of a guess
    #[arg(long, value_name = "KIND", value_parser = ["registration", "tax", "transport", "insured_roll"])]
    pub record: Option<String>,
}

/// `batch …`
#[derive(Debug, Args)]
pub struct BatchArguments {
    /// What to do
    #[command(subcommand)]
    pub command: BatchCommand,
}

/// `batch …`
#[derive(Debug, Subcommand)]
pub enum BatchCommand {
    /// The batches, newest last
    #[command(after_help = "Example:\n  yingbao batch list --adapter tax --json")]
    List {
        /// Only this adapter's
        #[arg(long)]
        adapter: Option<String>,
    },
    /// One batch with its reasons and issues
    #[command(
        after_help = "Example:\n  yingbao batch show insured-roll-20260413-1a2b3c4d\n\nExit: 0 shown, 1 no such batch."
    )]
    Show {
        /// Its id
        batch: String,
        /// Write the issues as a workbook to send back to the department
        #[arg(long, value_name = "FILE")]
        issues_xlsx: Option<PathBuf>,
    },
    /// Let a held batch in, by a named person with a reason
    #[command(
        after_help = "Example:\n  yingbao batch release insured-roll-20260413-1a2b3c4d --by 张三 --reason \"已与信息科核对行数\"\n\nExit: 0 released, 1 no such batch, 2 not held or superseded."
    )]
    Release {
        /// Its id
        batch: String,
        /// Who answers for it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why the doubt is unfounded
        #[arg(long)]
        reason: String,
    },
    /// Take an accepted batch back with all that followed from it, by a named person with a reason
    #[command(
        after_help = "Example:\n  yingbao batch withdraw insured-roll-20260413-1a2b3c4d --by 张三 --reason \"来源部门来函：导出范围有误\" --json\n\nThe data stand as if the batch had never come, also with later batches on top. Cases that rested on it and are no longer doubtful are closed, notices that wait are taken out of the outbox; what was sent is listed for people to correct, nothing goes out by itself. After an interruption the same command finishes what is left.\n\nExit: 0 withdrawn, 1 no such batch, 2 never accepted, or a later file cannot be read again."
    )]
    Withdraw {
        /// Its id
        batch: String,
        /// Who answers for it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// What is wrong with it
        #[arg(long)]
        reason: String,
    },
}

/// Options of `changes`.
#[derive(Debug, Args)]
pub struct ChangesArguments {
    /// Only this adapter's last accepted batch
    #[arg(long)]
    pub adapter: Option<String>,
    /// This batch
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,
}

/// Options of `classify`.
#[derive(Debug, Args)]
pub struct ClassifyArguments {
    /// Show what the rule tables of this folder would change in the register
    #[arg(long, value_name = "FOLDER")]
    pub compare: Option<PathBuf>,
}

/// Options of `enterprise`.
#[derive(Debug, Args)]
pub struct EnterpriseArguments {
    /// Credit code, organisation code, id, or exact name
    pub wanted: String,
}

/// `code …`
#[derive(Debug, Subcommand)]
pub enum CodeCommand {
    /// Check identifiers: arguments, or one a line from standard input
    #[command(after_help = "Example:\n  yingbao code check 91350100M000100Y43")]
    Check {
        /// Identifiers; standard input when none is given
        codes: Vec<String>,
    },
}

/// `case …`
#[derive(Debug, Subcommand)]
pub enum CaseCommand {
    /// The cases
    #[command(after_help = "Example:\n  yingbao case list --unit 411302 --stage dispatched --json")]
    List {
        /// Only this reporting unit's (id or name)
        #[arg(long)]
        unit: Option<String>,
        /// Only at this stage
        #[arg(long)]
        stage: Option<String>,
    },
    /// One case with its grounds and history
    #[command(
        after_help = "Example:\n  yingbao case show EMA49U85BX-A-1\n\nExit: 0 shown, 1 no such case."
    )]
    Show {
        /// Its id
        case: String,
    },
    /// Record what a named person found or did
    #[command(
        after_help = "Examples:\n  yingbao case record EMA49U85BX-A-1 --event confirmed --by 李四 --date 2026-03-20\n  yingbao case record EMA49U85BX-A-1 --event posted --by 李四 --date 2026-03-23 --number XA12345678941\n  yingbao case record EMA49U85BX-A-1 --event insured_elsewhere --by 李四 --date 2026-03-23 --proof 参保证明2026001号 --until 2026-12-31\n\nExit: 0 recorded, 1 refused by a rule."
    )]
    Record {
        /// The case
        case: String,
        /// What happened
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(ClerkEvent::ALL.map(ClerkEvent::word)))]
        event: String,
        /// Who answers for it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// The day it happened
        #[arg(long)]
        date: jiff::civil::Date,
        /// Proof: name and number of the paper
        #[arg(long)]
        proof: Option<String>,
        /// Mail number of a posted letter
        #[arg(long)]
        number: Option<String>,
        /// The last day on which the answer holds (insured_elsewhere and the like); by default so many days as config/rules/liability.toml says
        #[arg(long, value_name = "DATE")]
        until: Option<jiff::civil::Date>,
    },
}

/// `identity …`
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Pairs that wait for a person, the likeliest first
    #[command(after_help = "Example:\n  yingbao identity list --json")]
    List {
        /// Also those that were decided
        #[arg(long)]
        all: bool,
    },
    /// They are one firm: its records are joined from the next review on
    #[command(
        after_help = "Example:\n  yingbao identity same unit:4113000007 91411303MA49U85BX9 --by 张三 --reason \"与单位电话核实，系同一单位\"\n\nExit: 0 recorded, 1 refused by a rule."
    )]
    Same(IdentityWord),
    /// They are not: they are never proposed or joined again
    #[command(
        after_help = "Example:\n  yingbao identity different code:91411303MA49U86BX9 EMA49U85BX --by 张三 --reason \"营业执照载明为另一户\"\n\nExit: 0 recorded, 1 refused by a rule."
    )]
    Different(IdentityWord),
    /// Take a decision back
    #[command(
        after_help = "Example:\n  yingbao identity undo unit:4113000007 EMA49U85BX --by 李四 --reason \"误认，单位已更正\"\n\nExit: 0 recorded, 1 refused by a rule."
    )]
    Undo(IdentityWord),
}

/// What a person says of a pair.
#[derive(Debug, Args)]
pub struct IdentityWord {
    /// unit:NUMBER of the roll, code:IDENTIFIER as written, or enterprise:ID
    pub subject: crate::domain::pairing::Subject,
    /// The enterprise: its id or a code of it
    pub enterprise: String,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// On what ground
    #[arg(long)]
    pub reason: String,
}

/// Options of `survey`.
#[derive(Debug, Args)]
pub struct SurveyArguments {
    /// Credit code, organisation code, id, or exact name
    pub wanted: String,
    /// Persons met at work at a visit
    #[arg(long, value_name = "N")]
    pub heads: Option<u64>,
    /// Labour relation of those who work through a platform: by contract (符合确立劳动关系), or without
    #[arg(long, value_parser = ["contract", "without"])]
    pub relation: Option<String>,
    /// Whether riders and drivers have occupational-injury cover (职业伤害保障); it is no work-injury insurance
    #[arg(long, value_parser = ["yes", "no"])]
    pub injury_cover: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// The day it was seen
    #[arg(long)]
    pub date: jiff::civil::Date,
    /// Name and number of the paper
    #[arg(long)]
    pub proof: Option<String>,
}

/// Options of `list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Which list
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(Roster::ALL.map(Roster::word)))]
    pub kind: String,
    /// Only this reporting unit's (id or name)
    #[arg(long)]
    pub unit: Option<String>,
}

impl ListArguments {
    /// The list; `None` for a word that is none.
    #[must_use]
    pub fn roster(&self) -> Option<Roster> {
        Roster::ALL
            .into_iter()
            .find(|roster| roster.word() == self.kind)
    }
}

/// `notice …`
#[derive(Debug, Subcommand)]
pub enum NoticeCommand {
    /// The outbox and what became of it
    #[command(after_help = "Example:\n  yingbao notice list --in queued --json")]
    List {
        /// Only in this state: queued, sending, accepted, dry_run, unknown, failed, withdrawn
        #[arg(long = "in", value_name = "STATE")]
        stands: Option<String>,
    },
}

/// `schedule …`
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Every job with its last and next run
    #[command(after_help = "Example:\n  yingbao schedule list --json")]
    List,
    /// The next runs of all jobs, in order
    #[command(after_help = "Example:\n  yingbao schedule next --count 20")]
    Next {
        /// How many
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
        count: u32,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_answers_help_with_an_example() {
        fn walk(command: &clap::Command, path: &str, lacking: &mut Vec<String>) {
            for next in command.get_subcommands() {
                let path = format!("{path} {}", next.get_name());
                let help = next.get_after_help().map(ToString::to_string);
                if !help.is_some_and(|help| help.contains("Example") && help.contains(&path)) {
                    lacking.push(path.clone());
                }
                walk(next, &path, lacking);
            }
        }
        let mut lacking = Vec::new();
        walk(&Arguments::command(), "yingbao", &mut lacking);
        assert_eq!(lacking, Vec::<String>::new());
    }
}
