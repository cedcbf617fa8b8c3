//! stub
use std::collections::BTreeMap;
use std::process::ExitCode;
use crate::error::Failure;
#[derive(Debug, Clone)]
pub struct Fallback(String);
impl Fallback {
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.contains('/') { return Err(format!("{name:?} is no plain name")); }
        Ok(Self(name.to_owned()))
    }
    pub fn pass(&self, _verb: &str, _input: &[u8]) -> Result<ExitCode, Failure> { Ok(ExitCode::FAILURE) }
    pub fn list(&self) -> Result<BTreeMap<String, String>, Failure> { Ok(BTreeMap::new()) }
}
pub fn without(theirs: BTreeMap<String, String>, _f: impl Fn(&str) -> bool) -> BTreeMap<String, String> { theirs }
pub fn merge(ours: BTreeMap<String, String>, theirs: BTreeMap<String, String>) -> BTreeMap<String, String> { let mut t = theirs; t.extend(ours); t }
