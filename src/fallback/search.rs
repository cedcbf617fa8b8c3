//! Looking for the fallback's program, as execvp(3) does, and refusing what nobody can have meant.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Fallback;
use crate::command_line::NAME;
use crate::env;
use crate::error::{Failure, Reason};
use crate::files;
use crate::platform;

impl Fallback {
    /// Where the program is.
    ///
    /// # Errors
    ///
    /// [`Reason::Configuration`] where it is nowhere, or not to be run: see [`Self::find_in`].
    pub(super) fn find(&self) -> Result<PathBuf, Failure> {
        let own = std::env::current_exe().ok();
        self.find_in(std::env::var_os(env::PATH).as_deref(), own.as_deref())
    }

    /// The first program of that name in a PATH. It is refused where it was found by way of the directory that the
    /// client happens to be in, which may be somebody else's; and where it is `own`, this very program.
    pub(super) fn find_in(&self, path: Option<&OsStr>, own: Option<&Path>) -> Result<PathBuf, Failure> {
        let name = self.program();
        for entry in path.iter().flat_map(std::env::split_paths) {
            let program = entry.join(&name);
            if !platform::is_program(&program) {
                continue;
            }
            if !entry.is_absolute() {
                return Err(refused(
                    format!(
                        "{name} is in \"{}\", an entry of PATH that is not a full path",
                        entry.display()
                    ),
                    "take that entry out of PATH, or put the helper into a directory with a full path",
                ));
            }
            if own.is_some_and(|own| files::is_same(&program, own)) {
                return Err(refused(
                    format!("the fallback {} is {NAME} itself", program.display()),
                    "name another helper as `fallback`",
                ));
            }
            return Ok(program);
        }
        Err(refused(
            format!("the fallback {name} is in no directory of PATH"),
            "install it there, or name another helper as `fallback`",
        ))
    }
}

fn refused(what: String, advice: &str) -> Failure {
    Failure::new(Reason::Configuration, what, advice)
}
