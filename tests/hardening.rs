//! What the kernel and the loader are to make of the program: a place that changes, and relocated data that nobody can write to.

#![cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::Sandbox;

const PT_LOAD: u32 = 1;
const PT_GNU_RELRO: u32 = 0x6474_e552;
const PAGE: u64 = 4096;

/// A piece of the process's memory.
struct Mapping {
    start: u64,
    end: u64,
    permissions: String,
    file: String,
}

/// A `get` that waits for its input, and is no more when this goes.
struct Waiting(Child);

impl Waiting {
    fn start(sandbox: &Sandbox) -> Self {
        let mut get = sandbox.command("get");
        Self(get.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn mappings(&self) -> Vec<Mapping> {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.0.id())).unwrap();
        maps.lines().map(mapping).collect()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Reads a line such as `7f5c8000-7f5c9000 r--p 00000000 fe:00 1234   /usr/bin/program`.
fn mapping(line: &str) -> Mapping {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (start, end) = fields[0].split_once('-').unwrap();
    let address = |text| u64::from_str_radix(text, 16).unwrap();
    Mapping {
        start: address(start),
        end: address(end),
        permissions: fields[1].to_owned(),
        file: fields.get(5).copied().unwrap_or_default().to_owned(),
    }
}

/// Address and size of the first program header of a type.
fn segment(program: &[u8], of_type: u32) -> (u64, u64) {
    let number = |at: usize| u64::from_le_bytes(program[at..at + 8].try_into().unwrap());
    let start = usize::try_from(number(0x20)).unwrap();
    let count = usize::from(u16::from_le_bytes(program[0x38..0x3a].try_into().unwrap()));
    let headers = (0..count).map(|index| start + index * 56);
    let header = |at: &usize| program[*at..*at + 4] == of_type.to_le_bytes();
    let found = headers
        .clone()
        .find(header)
        .unwrap_or_else(|| panic!("no program header of type {of_type:#x}"));
    (number(found + 0x10), number(found + 0x28))
}

/// Where the program begins in memory. A moment after its start it is nowhere yet.
fn base(get: &Waiting, sandbox: &Sandbox, program: &[u8]) -> u64 {
    let path = sandbox.command("get").get_program().to_str().unwrap().to_owned();
    let first = soon("the program is not in memory", || {
        get.mappings().into_iter().find(|mapping| mapping.file == path)
    });
    first.start - segment(program, PT_LOAD).0
}

/// What `look` finds at last, within a time that nothing here takes.
fn soon<T>(otherwise: &str, look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::yield_now();
    }
}

#[test]
fn relocated_data_is_read_only() {
    let sandbox = Sandbox::new();
    let program = fs::read(sandbox.command("get").get_program()).unwrap();
    let (address, size) = segment(&program, PT_GNU_RELRO);
    let get = Waiting::start(&sandbox);
    let base = base(&get, &sandbox, &program);
    let (start, end) = ((base + address) / PAGE * PAGE, (base + address + size) / PAGE * PAGE);
    assert!(start < end);
    // It relocates itself before it does anything else.
    soon("relocated data can be written to", || {
        let mappings = get.mappings();
        let mut overlapping = mappings
            .iter()
            .filter(|mapping| mapping.start < end && start < mapping.end);
        overlapping.all(|mapping| mapping.permissions == "r--p").then_some(())
    });
}

#[test]
fn the_program_is_somewhere_else_each_time() {
    let sandbox = Sandbox::new();
    let program = fs::read(sandbox.command("get").get_program()).unwrap();
    let bases = (0..4).map(|_| base(&Waiting::start(&sandbox), &sandbox, &program));
    let bases: BTreeSet<_> = bases.collect();
    assert!(bases.len() > 1, "always at {bases:x?}");
}
