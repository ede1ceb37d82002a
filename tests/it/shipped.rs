//! What is shipped is what lies in the repository, and it is sound.

use std::fs;
use std::path::Path;

use yingbao::config::configuration::Configuration;
use yingbao::config::home::Home;
use yingbao::config::settings::Overrides;
use yingbao::config::{schedule, shipped};

fn toml_files(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            toml_files(root, &path, found);
        } else {
            let below = path.strip_prefix(root).expect("below the root");
            found.push(below.to_str().expect("a plain name").to_owned());
        }
    }
}

#[test]
fn the_binary_holds_every_file_of_the_operators_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["config", "adapters", "schedules"] {
        toml_files(root, &root.join(folder), &mut found);
    }
    // A site's own file is never shipped.
    found.retain(|file| file != "config/site.toml");
    found.sort();
    let mut listed: Vec<&str> = shipped::FILES.iter().map(|(file, _)| *file).collect();
    listed.sort_unstable();
    assert_eq!(listed, found);
}

#[test]
fn the_shipped_home_is_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    shipped::unpack(folder.path()).expect("unpacked");
    let home = Home::locate(Some(folder.path()), None);
    let configuration = match Configuration::load(&home, &Overrides::default()) {
        Ok(configuration) => configuration,
        Err(faults) => panic!(
            "{}",
            faults
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        ),
    };
    let is_read = |(file, _): &&(&str, &str)| !shipped::is_optional(file);
    let read = shipped::FILES.iter().filter(is_read);
    assert_eq!(configuration.files.len(), read.count());
    assert_eq!(configuration.adapters.len(), 4);
    let tasks: Vec<String> = configuration
        .schedules
        .iter()
        .map(|s| s.task.to_string())
        .collect();
    for adapter in configuration.adapters.keys() {
        assert!(
            tasks.contains(&format!("pull {adapter}")),
            "{adapter} is pulled by no schedule"
        );
    }
    for task in [
        schedule::TaskName::Review,
        schedule::TaskName::Escalate,
        schedule::TaskName::Notify,
        schedule::TaskName::Deliver,
        schedule::TaskName::Publish,
        schedule::TaskName::Selfcheck,
    ] {
        assert!(
            tasks.contains(&task.to_string()),
            "{task} is run by no schedule"
        );
    }
}

#[test]
fn unpacking_again_keeps_what_the_operator_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    shipped::unpack(folder.path()).expect("unpacked");
    let ladder = folder.path().join("config/ladder.toml");
    fs::write(&ladder, "# mine").expect("written");
    fs::remove_file(folder.path().join("config/units.toml")).expect("removed");
    shipped::unpack(folder.path()).expect("unpacked again");
    assert_eq!(fs::read_to_string(&ladder).expect("there"), "# mine");
    assert_eq!(
        fs::read_to_string(folder.path().join("config/units.toml"))
            .ok()
            .as_deref(),
        shipped::text("config/units.toml")
    );
}

#[test]
fn an_optional_source_is_sound_when_it_is_taken_into_use() {
    let folder = tempfile::tempdir().expect("a folder");
    shipped::unpack(folder.path()).expect("unpacked");
    let load = || {
        let home = Home::locate(Some(folder.path()), None);
        Configuration::load(&home, &Overrides::default())
    };
    let mut taken = Vec::new();
    for (file, text) in shipped::FILES {
        if shipped::is_optional(file) {
            let place = shipped::in_use(file);
            assert!(!folder.path().join(&place).exists(), "{place} is in use");
            fs::write(folder.path().join(&place), text).expect("copied");
            taken.push(place);
        }
    }
    assert_eq!(
        taken,
        [
            "adapters/express.toml",
            "adapters/food.toml",
            "schedules/pull-express.toml",
            "schedules/pull-food.toml"
        ]
    );
    // Where they are fetched from is the site's to say.
    let faults = load().expect_err("no addresses");
    for adapter in ["express", "food"] {
        let of = format!("adapters/{adapter}.toml");
        assert!(faults.iter().any(|fault| fault.file == of), "{faults:?}");
    }
    let site = yingbao::demo::home::settings(1);
    fs::write(folder.path().join("config/site.toml"), site).expect("written");
    match load() {
        Ok(configuration) => assert_eq!(configuration.adapters.len(), 6),
        Err(faults) => panic!("{faults:?}"),
    }
}
