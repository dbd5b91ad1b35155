//! `cargo xtask facts DIR` writes the facts about the schemas in a folder of CSDL files, and `cargo xtask code` the code from
//! the facts.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use redfish_schema_gen::code::Sources;
use redfish_schema_gen::{Facts, csdl};

const CRATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

const USAGE: &str = "\
usage: cargo xtask facts DIR       writes the facts; DIR: the folder csdl of a bundle of schemas (DSP8010)
       cargo xtask code            writes the code from the facts
       cargo xtask code --check    fails if the code is not what the facts produce";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["facts", folder] => write_facts(Path::new(folder)),
        ["code"] => write_code(),
        ["code", "--check"] => check_code(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_facts(folder: &Path) -> Result<String, Box<dyn Error>> {
    let facts = csdl::read_folder(folder)?;
    let text = facts.to_string();
    if Facts::parse(&text)? != facts {
        return Err("the facts are not what is read back; the file is not written".into());
    }
    write(&path("redfish-schema/facts.txt"), &text)?;
    Ok(format!("crates/redfish-schema/facts.txt: {}", summary(&facts)))
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

fn write_code() -> Result<String, Box<dyn Error>> {
    let files = code()?;
    for file in obsolete(&files)? {
        fs::remove_file(file)?;
    }
    for (name, text) in &files {
        write(&path(name), text)?;
    }
    Ok(format!(
        "{} files, {} lines",
        files.len(),
        files.values().map(|text| text.lines().count()).sum::<usize>()
    ))
}

fn check_code() -> Result<String, Box<dyn Error>> {
    let files = code()?;
    let mut wrong: Vec<PathBuf> = obsolete(&files)?;
    for (name, text) in &files {
        if fs::read_to_string(path(name)).ok().as_ref() != Some(text) {
            wrong.push(path(name));
        }
    }
    match wrong.first() {
        None => Ok(format!("{} files are what the facts produce", files.len())),
        Some(file) => Err(format!(
            "{} and {} other files are not what the facts produce; run `cargo xtask code`",
            file.display(),
            wrong.len() - 1
        )
        .into()),
    }
}

/// The generated files, formatted.
fn code() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let read = |name: &str| {
        let file = path(name);
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
    };
    let facts = Facts::parse(&read("redfish-schema/facts.txt")?)?;
    let sources =
        Sources::new(&facts, &read("redfish-schema/groups.txt")?, &read("redfish-schema/descriptions.txt")?)?;
    let manifest = read("redfish-schema/Cargo.toml")?;
    for feature in sources.features() {
        if !manifest.contains(&format!("\n{feature} = [")) {
            return Err(format!("redfish-schema/Cargo.toml does not declare the feature {feature}").into());
        }
    }
    format(sources.files())
}

/// Formats files with rustfmt.
fn format(files: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("redfish-schema-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let formatted = format_in(&folder, files);
    fs::remove_dir_all(&folder)?;
    formatted
}

fn format_in(
    folder: &Path,
    files: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let named: Vec<_> = files
        .into_iter()
        .enumerate()
        .map(|(number, (name, text))| (folder.join(format!("{number}.rs")), name, text))
        .collect();
    for (file, _, text) in &named {
        // The modules that a file declares are other files here.
        write(file, &text.replace("pub mod ", "pub use self::mod_"))?;
    }
    let config = path("../rustfmt.toml");
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(config)
        .args(named.iter().map(|(file, ..)| file))
        .status()?;
    if !status.success() {
        return Err("rustfmt failed".into());
    }
    named
        .into_iter()
        .map(|(file, name, _)| {
            Ok((name, fs::read_to_string(file)?.replace("pub use self::mod_", "pub mod ")))
        })
        .collect()
}

/// Files of modules that are no longer generated.
fn obsolete(files: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut obsolete = Vec::new();
    let known: Vec<PathBuf> = files.keys().map(|name| path(name)).collect();
    let folder = path("redfish-schema/src/schemas");
    if folder.exists() {
        for entry in fs::read_dir(folder)? {
            let file = entry?.path();
            if !known.contains(&file) {
                obsolete.push(file);
            }
        }
    }
    Ok(obsolete)
}

fn path(name: &str) -> PathBuf {
    Path::new(CRATES).join(name)
}

fn write(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()).into())
}
