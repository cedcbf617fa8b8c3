//! A home directory and an environment of its own for the program under test.

use super::fake_aws::FakeAws;
use super::pty::OnTerminal;
use super::run::{Output, RUN_LIMIT, Running};
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The key that AWS documentation shows; nobody's.
pub const STATIC_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

pub struct Sandbox {
    /// Removed with everything in it when the sandbox goes.
    directory: TempDir,
    home: PathBuf,
    program: PathBuf,
    environment: BTreeMap<OsString, OsString>,
}

impl Sandbox {
    /// An empty home, and nothing in the environment but what any run needs: `HOME`, `PATH` and
    /// the word that this is no EC2 instance.
    pub fn new() -> Self {
        Self::of_program(binary())
    }

    /// The same for another program than the one that is built for tests.
    pub fn of_program(program: PathBuf) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let home = directory.path().join("home");
        fs::create_dir(&home).expect("a home directory");
        // Whatever the umask: a home as most systems make it, that others can read.
        fs::set_permissions(&home, Permissions::from_mode(0o755)).expect("a mode for the home");
        let mut sandbox = Self {
            directory,
            home,
            program,
            environment: BTreeMap::new(),
        };
        sandbox
            .env("HOME", sandbox.home.clone())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        // The last one tells an instrumented build where its coverage goes.
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = env::var_os(name) {
                sandbox.env(name, value);
            }
        }
        sandbox
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    pub fn cache_dir(&self) -> PathBuf {
        self.home.join(".cache/docker-credential-ecr-login")
    }

    /// Writes a file below the home, with the directories it needs.
    pub fn write(&self, below_home: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.join(below_home);
        let parent = path.parent().expect("a file has a directory");
        fs::create_dir_all(parent).unwrap_or_else(|why| panic!("{}: {why}", parent.display()));
        fs::write(&path, contents).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        path
    }

    pub fn aws_config(&self, text: &str) -> PathBuf {
        self.write(".aws/config", text)
    }

    pub fn aws_credentials(&self, text: &str) -> PathBuf {
        self.write(".aws/credentials", text)
    }

    /// Where the user's own config.toml is.
    pub fn config_file(&self) -> PathBuf {
        self.home.join(".config/docker-credential-ecr-login/config.toml")
    }

    /// Writes the user's own config.toml, which whatever the umask nobody else can write.
    pub fn configure(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(self.config_file(), text);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("a mode for config.toml");
        path
    }

    /// Sets a variable for every run from now on.
    pub fn env(&mut self, name: &str, value: impl Into<OsString>) -> &mut Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Takes a variable away, one of the first few included.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.environment.remove(&OsString::from(name));
        self
    }

    /// Long-lived keys in the environment, the shortest way to credentials.
    pub fn use_static_keys(&mut self) -> &mut Self {
        self.env("AWS_ACCESS_KEY_ID", STATIC_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    }

    /// Sends the calls to every AWS service to `fake`.
    pub fn point_at(&mut self, fake: &FakeAws) -> &mut Self {
        self.env("AWS_ENDPOINT_URL", fake.url())
    }

    /// The program with a verb (`get`, `list`, …) and this sandbox's environment alone.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).env_clear().envs(&self.environment);
        command
    }

    pub fn run(&self, verb: &str, stdin: impl AsRef<[u8]>) -> Output {
        self.spawn(verb, stdin).wait()
    }

    /// Runs with any number of arguments, as a person does: nothing comes from stdin.
    pub fn run_args(&self, args: &[&str]) -> Output {
        self.feed_args(args, "")
    }

    /// The same with something on stdin.
    pub fn feed_args(&self, args: &[&str], stdin: impl AsRef<[u8]>) -> Output {
        let mut command = Command::new(&self.program);
        command.args(args).env_clear().envs(&self.environment);
        Running::start(command, stdin, RUN_LIMIT).wait()
    }

    /// From now on the program is started by this name, a link to it.
    pub fn call_it(&mut self, name: &str) -> &mut Self {
        let link = self.directory.path().join(name);
        symlink(fs::canonicalize(&self.program).expect("the program"), &link).expect("a link");
        self.program = link;
        self
    }

    /// Runs after `change` had its way with the command: arguments, variables, directory.
    pub fn run_with(&self, verb: &str, stdin: impl AsRef<[u8]>, change: impl FnOnce(&mut Command)) -> Output {
        let mut command = self.command(verb);
        change(&mut command);
        Running::start(command, stdin, RUN_LIMIT).wait()
    }

    /// Asks for the credentials of a registry as docker does: no newline after the host.
    pub fn get(&self, host: &str) -> Output {
        self.run("get", host)
    }

    pub fn spawn(&self, verb: &str, stdin: impl AsRef<[u8]>) -> Running {
        Running::start(self.command(verb), stdin, RUN_LIMIT)
    }

    /// Runs where a person sits at a terminal: stdin and stdout are pipes, stderr is the terminal.
    pub fn on_terminal(&self, verb: &str, stdin: impl AsRef<[u8]>) -> OnTerminal {
        OnTerminal::start(&self.command(verb), stdin)
    }

    /// Runs with any number of arguments where a person sits at a terminal: stdin, stdout and stderr are all it.
    pub fn at_terminal(&self, args: &[&str]) -> OnTerminal {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "exec \"$@\" </dev/tty >/dev/tty", "sh"]);
        shell.arg(&self.program).args(args);
        shell.env_clear().envs(&self.environment);
        OnTerminal::start(&shell, "")
    }

    /// Runs once for each input, all at once on one terminal.
    pub fn each_on_terminal(&self, verb: &str, inputs: &[&str]) -> OnTerminal {
        OnTerminal::start_each(&self.command(verb), inputs, self.directory.path())
    }
}

/// `ECR_LOGIN_BINARY` lets the same tests check another build, such as a packaged one.
fn binary() -> PathBuf {
    let named = env::var_os("ECR_LOGIN_BINARY").map(PathBuf::from);
    // Cargo sets this for tests, not for examples.
    let built = option_env!("CARGO_BIN_EXE_docker-credential-ecr-login").map(PathBuf::from);
    named
        .or(built)
        .expect("no program to run: set ECR_LOGIN_BINARY to docker-credential-ecr-login")
}
