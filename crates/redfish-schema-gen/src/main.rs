//! `cargo xtask facts DIR` writes the facts about the schemas in a folder of CSDL files.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use redfish_schema_gen::{Facts, csdl};

const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../redfish-schema/facts.txt");

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [command, folder] = arguments.as_slice() else { return usage() };
    if command != "facts" {
        return usage();
    }
    match write_facts(Path::new(folder)) {
        Ok(facts) => {
            println!("crates/redfish-schema/facts.txt: {}", summary(&facts));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo xtask facts DIR    DIR: the folder csdl of a bundle of schemas (DSP8010)");
    ExitCode::from(2)
}

fn write_facts(folder: &Path) -> Result<Facts, Box<dyn Error>> {
    let facts = csdl::read_folder(folder)?;
    let text = facts.to_string();
    if Facts::parse(&text)? != facts {
        return Err("the facts are not what is read back; the file is not written".into());
    }
    fs::write(FACTS, text).map_err(|error| format!("{FACTS}: {error}"))?;
    Ok(facts)
}

fn summary(facts: &Facts) -> String {
    let count = |count: fn(&redfish_schema_gen::facts::Schema) -> usize| {
        facts.schemas.values().map(count).sum::<usize>()
    };
    format!(
        "{} schemas, {} resources, {} objects, {} enumerations, {} actions",
        facts.schemas.len(),
        count(|schema| schema.resources.len()),
        count(|schema| schema.objects.len()),
        count(|schema| schema.enumerations.len()),
        count(|schema| schema.actions.len()),
    )
}
