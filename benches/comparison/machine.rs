//! What the numbers were measured on and with.

use std::fs;
use std::process::Command;

use crate::Result;
use crate::options::Options;
use crate::program::Program;

/// Names and values, for a table.
pub type Machine = Vec<(&'static str, String)>;

pub fn describe(options: &Options) -> Result<Machine> {
    let mut machine = vec![
        ("date", said_by("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("revision", revision()),
        ("processor", processor()),
        ("virtualisation", virtualisation()),
        ("scheduling", scheduling()),
        ("system", system()),
        ("kernel", said_by("uname", &["-sr"])),
        ("C library", said_by("getconf", &["GNU_LIBC_VERSION"])),
        ("root certificates", roots()),
        ("rustc", said_by("rustc", &["--version"])),
    ];
    if let Ok(go) = options.path(Program::Go) {
        let path = go.to_str().ok_or("a path that is not UTF-8")?;
        machine.push(("AWS's helper", go_helper(path)));
    }
    Ok(machine)
}

/// The commit, and whether anything was changed since, the written tables aside.
fn revision() -> String {
    let commit = said_by("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = said_by("git", &["status", "--porcelain", "--", ".", ":!docs/performance.*"]);
    match changed.as_str() {
        "unknown" => commit,
        _ => format!("{commit}, with changes"),
    }
}

fn processor() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let values = |name: &str| -> Vec<&str> {
        let lines = cpuinfo.lines().filter(|line| line.starts_with(name));
        lines
            .filter_map(|line| line.split_once(": "))
            .map(|(_, value)| value)
            .collect()
    };
    let model = values("model name").first().copied().unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores")
}

fn virtualisation() -> String {
    let kinds = [("virtual machine", "--vm"), ("container", "--container")];
    let found = kinds.map(
        |(what, option)| match said_by("systemd-detect-virt", &[option]).as_str() {
            "unknown" => format!("{what}: unknown"),
            kind => format!("{what}: {kind}"),
        },
    );
    found.join(", ")
}

/// Whether the programs run before all others, as `benches/compare --fifo` has it, and how much else there was to run.
fn scheduling() -> String {
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The 41st field, of which the second may have spaces in it and is in parentheses.
    let policy = status
        .rsplit(')')
        .next()
        .and_then(|fields| fields.split_whitespace().nth(38));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    match policy {
        Some("1") => format!("before all other processes (SCHED_FIFO), load average {load}"),
        _ => format!("as any process, load average {load}"),
    }
}

fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

fn roots() -> String {
    let count = crate::contestant::system_roots().map(|pem| pem.matches("BEGIN CERTIFICATE").count());
    count.map_or("unknown".to_owned(), |count| count.to_string())
}

/// The version that Go wrote into the program, and the version of Go.
fn go_helper(path: &str) -> String {
    let about = said_by("go", &["version", "-m", path]);
    let go = about.lines().next().and_then(|line| line.rsplit(' ').next());
    let module = about.lines().find_map(|line| line.trim_start().strip_prefix("mod\t"));
    let cgo = if about.contains("CGO_ENABLED=1") {
        "with cgo"
    } else {
        "without cgo"
    };
    match (module.and_then(|module| module.split('\t').nth(1)), go) {
        (Some(version), Some(go)) => format!("{version}, built by {go} {cgo}"),
        _ => "unknown version".to_owned(),
    }
}

/// The output of a command; "unknown" where it fails or has nothing to say.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let said = output
        .filter(|output| output.status.success())
        .map(|output| output.stdout);
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).trim().to_owned();
    if said.is_empty() { "unknown".to_owned() } else { said }
}
