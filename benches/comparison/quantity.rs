//! What is measured, and in which surroundings.

use std::path::Path;

use crate::program::Program;

/// The surroundings of a `get`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scenario {
    /// Static keys in the environment, and the token in the cache.
    Cached,
    /// The same, with a config.toml of ten entries, the last of which is for the registry.
    Configured,
    /// A profile with a role, the token of an earlier `get` in the cache, and AWS behind TLS.
    Role,
    /// Static keys, nothing cached, and AWS behind TLS.
    First,
    /// Static keys, nothing cached, and an AWS that takes its time.
    Storm,
}

/// A column of numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Quantity {
    Cached,
    Configured,
    Role,
    First,
    Storm,
    MemoryCached,
    MemoryFirst,
    SystemCalls,
    Size,
}

pub const STRACE: &str = "/usr/bin/strace";
pub const TIME: &str = "/usr/bin/time";

/// How many helpers a [`Scenario::Storm`] starts at once.
pub const STORM: usize = 40;

impl Quantity {
    pub const ALL: [Self; 9] = [
        Self::Cached,
        Self::Configured,
        Self::Role,
        Self::First,
        Self::Storm,
        Self::MemoryCached,
        Self::MemoryFirst,
        Self::SystemCalls,
        Self::Size,
    ];

    /// As a row of a table is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cached => "cached get, ms",
            Self::Configured => "cached get with a config.toml of ten entries, ms",
            Self::Role => "second get with an assumed role, ms",
            Self::First => "first get over TLS, ms",
            Self::Storm => "forty parallel first gets, AWS answering after 500 ms, ms",
            Self::MemoryCached => "peak memory of a cached get, MB",
            Self::MemoryFirst => "peak memory of a first get over TLS, MB",
            Self::SystemCalls => "system calls of a cached get",
            Self::Size => "size of the program, MB",
        }
    }

    /// None for what needs no run.
    pub fn scenario(self) -> Option<Scenario> {
        match self {
            Self::Cached | Self::MemoryCached | Self::SystemCalls => Some(Scenario::Cached),
            Self::Configured => Some(Scenario::Configured),
            Self::Role => Some(Scenario::Role),
            Self::First | Self::MemoryFirst => Some(Scenario::First),
            Self::Storm => Some(Scenario::Storm),
            Self::Size => None,
        }
    }

    /// How often it is measured where the shortest run is measured `runs` times.
    pub fn rounds(self, runs: u32) -> u32 {
        match self {
            Self::Cached | Self::Configured => runs,
            Self::Role | Self::First => (runs / 3).max(5),
            Self::Storm => (runs / 30).clamp(3, 10),
            Self::MemoryCached | Self::MemoryFirst | Self::SystemCalls => (runs / 30).clamp(3, 10),
            Self::Size => 1,
        }
    }

    /// What has to be installed for it, if that is not there.
    pub fn missing_tool(self) -> Option<&'static str> {
        let (path, name) = match self {
            Self::MemoryCached | Self::MemoryFirst => (TIME, "GNU time"),
            Self::SystemCalls => (STRACE, "strace"),
            _ => return None,
        };
        (!Path::new(path).exists()).then_some(name)
    }

    /// Whether it says something about this program.
    pub fn concerns(self, program: Program) -> bool {
        !(self == Self::Storm && program == Program::Empty)
    }
}
