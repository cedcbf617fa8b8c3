//! stub
#[derive(Debug, Clone)]
pub struct Fallback(String);
impl Fallback {
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.contains('/') { return Err(format!("{name:?} is no plain name")); }
        Ok(Self(name.to_owned()))
    }
}
