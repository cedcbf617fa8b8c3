//! One program in its surroundings: a home, an environment and a fake AWS of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::Result;
use crate::process;
use crate::program::Program;
use crate::quantity::{Quantity, STORM, STRACE, Scenario, TIME};
use crate::server::{SLOW_KEY_ID, Server};
use crate::support::{Sandbox, decode_password};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const ECR: &str = "ecr:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";

/// Where Debian, Fedora and SUSE keep the system's roots.
const SYSTEM_ROOTS: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

pub struct Contestant {
    pub program: Program,
    scenario: Scenario,
    sandbox: Sandbox,
    server: Server,
    /// The file that AWS's helper keeps tokens in, as it was after the first `get`.
    go_cache: Option<Vec<u8>>,
}

impl Contestant {
    /// Sets everything up and asks once, so that a cached answer is there where one is wanted.
    pub fn new(program: Program, path: &Path, scenario: Scenario) -> Result<Self> {
        let mut contestant = Self {
            program,
            scenario,
            sandbox: Sandbox::of_program(path.to_owned()),
            server: Server::start()?,
            go_cache: None,
        };
        contestant.furnish()?;
        contestant.get()?;
        contestant.go_cache = fs::read(contestant.go_cache_file()).ok();
        Ok(contestant)
    }

    /// Puts the caches into the state that the scenario measures.
    pub fn rewind(&self) -> Result<()> {
        match self.scenario {
            Scenario::First | Scenario::Storm => {
                remove(&self.go_directory())?;
                remove(&self.sandbox.cache_dir())
            }
            Scenario::Cached | Scenario::Configured | Scenario::Role => match &self.go_cache {
                // With a role it adds an entry at every `get`, for it takes every session for somebody else.
                Some(before) if fs::read(self.go_cache_file())? != *before => {
                    Ok(fs::write(self.go_cache_file(), before)?)
                }
                _ => Ok(()),
            },
        }
    }

    /// Measures a quantity once. The caches are to be in the scenario's state.
    pub fn measure(&self, quantity: Quantity) -> Result<f64> {
        match quantity {
            Quantity::Cached | Quantity::Configured | Quantity::Role | Quantity::First => {
                Ok(self.get()?.as_secs_f64() * 1e3)
            }
            Quantity::Storm => Ok(self.storm()?.as_secs_f64() * 1e3),
            Quantity::MemoryCached | Quantity::MemoryFirst => self.peak_memory(),
            Quantity::SystemCalls => self.system_calls(),
            Quantity::Size => Err("a size needs no run".into()),
        }
    }

    /// How often each operation of AWS was called so far.
    pub fn calls(&self) -> Result<BTreeMap<String, u32>> {
        let mut calls = BTreeMap::new();
        for request in self.server.requests()? {
            *calls.entry(request.operation).or_default() += 1;
        }
        Ok(calls)
    }

    /// How often each operation must be called by so many measured runs; none where it is what is to be found out.
    pub fn calls_due(&self, runs: u32) -> Option<BTreeMap<String, u32>> {
        let due = |operations: &[&str]| operations.iter().map(|name| ((*name).to_owned(), runs)).collect();
        match (self.scenario, self.program) {
            (_, Program::Empty) | (Scenario::Cached | Scenario::Configured, _) => Some(due(&[])),
            (Scenario::Role, Program::Go) => Some(due(&[STS, ECR])),
            (Scenario::Role, _) => Some(due(&[])),
            (Scenario::Storm, Program::Go) => None,
            // A storm is one run here, however many helpers take part.
            (Scenario::First | Scenario::Storm, _) => Some(due(&[ECR])),
        }
    }

    /// One `get`, timed and its answer checked.
    fn get(&self) -> Result<Duration> {
        let (elapsed, answer) = process::timed(self.sandbox.command("get"), HOST)?;
        self.check(&answer)?;
        Ok(elapsed)
    }

    /// Many at once, until the last has ended.
    fn storm(&self) -> Result<Duration> {
        let commands = (0..STORM).map(|_| self.sandbox.command("get")).collect();
        let (elapsed, answers) = process::timed_together(commands, HOST)?;
        answers.iter().try_for_each(|answer| self.check(answer))?;
        Ok(elapsed)
    }

    fn peak_memory(&self) -> Result<f64> {
        let kibibytes: f64 = self.told_by(TIME, &["--format=%M"])?.trim().parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    fn system_calls(&self) -> Result<f64> {
        let table = self.told_by(STRACE, &["-c", "-f"])?;
        // "100.00    0.000412           7        58        12 total"
        let total = table.lines().find(|line| line.ends_with(" total"));
        let calls = total.and_then(|line| line.split_whitespace().nth(3));
        Ok(calls.ok_or("strace did not count")?.parse()?)
    }

    /// What a tool writes into its output file about one `get`.
    fn told_by(&self, tool: &str, arguments: &[&str]) -> Result<String> {
        let file = self.sandbox.write("told", "");
        let mut words = arguments.to_vec();
        words.extend(["-o", file.to_str().ok_or("a temporary directory that is not UTF-8")?]);
        let command = process::under(tool, &words, &self.sandbox.command("get"));
        let (_, answer) = process::timed(command, HOST)?;
        self.check(&answer)?;
        Ok(fs::read_to_string(&file)?)
    }

    /// Credentials, and where AWS is.
    fn furnish(&mut self) -> Result<()> {
        match self.scenario {
            Scenario::Cached | Scenario::First => self.sandbox.use_static_keys(),
            Scenario::Configured => {
                self.sandbox.configure(ten_entries());
                self.sandbox.use_static_keys()
            }
            Scenario::Storm => self.sandbox.use_static_keys().env("AWS_ACCESS_KEY_ID", SLOW_KEY_ID),
            Scenario::Role => {
                self.sandbox.aws_config(ROLE_CONFIG);
                self.sandbox.aws_credentials(ROLE_CREDENTIALS);
                self.sandbox.env("AWS_PROFILE", "app")
            }
        };
        let aws = match self.scenario {
            Scenario::Cached | Scenario::Configured | Scenario::Storm => self.server.http(),
            Scenario::Role | Scenario::First => {
                let roots = format!("{}\n{}", system_roots()?, self.server.ca());
                let roots = self.sandbox.write("roots.pem", roots);
                self.sandbox.env("SSL_CERT_FILE", roots);
                self.server.https()
            }
        };
        // The second one for AWS's helper, which sets up STS for a role before it has read the first.
        self.sandbox
            .env("AWS_ENDPOINT_URL", aws)
            .env("AWS_ENDPOINT_URL_STS", aws);
        Ok(())
    }

    fn check(&self, answer: &str) -> Result<()> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Credentials {
            username: String,
            secret: String,
        }
        if self.program == Program::Empty {
            return Ok(());
        }
        let wrong = || format!("a wrong answer: {answer:?}");
        let credentials: Credentials = serde_json::from_str(answer).map_err(|_| wrong())?;
        let token = decode_password(&credentials.secret);
        match credentials.username == "AWS" && token.region == "us-east-1" && token.service == "ecr" {
            true => Ok(()),
            false => Err(wrong().into()),
        }
    }

    fn go_directory(&self) -> PathBuf {
        self.sandbox.home().join(".ecr")
    }

    fn go_cache_file(&self) -> PathBuf {
        self.go_directory().join("cache.json")
    }
}

/// A configuration whose last entry is the one for [`HOST`], and leaves its credentials to the environment.
fn ten_entries() -> String {
    let others = (1..10).map(|number| {
        format!("[[registry]]\nmatch = \"{number:012}.dkr.ecr.*.amazonaws.com\"\nprofile = \"account-{number}\"\n\n")
    });
    let head = "timeout = \"30s\"\nlog = \"off\"\n\n".to_owned();
    let last = "[[registry]]\nmatch = \"123456789012.*\"\n".to_owned();
    [head].into_iter().chain(others).chain([last]).collect()
}

const ROLE_CONFIG: &str = "\
[profile app]
region = us-east-1
role_arn = arn:aws:iam::123456789012:role/ecr-pull
source_profile = base
";

const ROLE_CREDENTIALS: &str = "\
[base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
";

/// The file of all roots that this system trusts.
pub fn system_roots() -> Result<String> {
    let found = SYSTEM_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok());
    found.ok_or_else(|| "the system has no file of root certificates: install ca-certificates".into())
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(why) if why.kind() != ErrorKind::NotFound => Err(why.into()),
        _ => Ok(()),
    }
}
