//! The registry in the name of an image. Pure.

use crate::error::{one_line, truncate};
use crate::protocol::{ServerUrl, after_http};

/// Where an image comes from.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    /// Host, and port if there is one, as they stand in the image's name: what the kubelet looks credentials up by.
    pub registry: String,
    /// The host for our parser: lower case, without port.
    pub host: String,
}

impl Image {
    /// Takes the registry from an image's name, with or without tag and digest.
    ///
    /// # Errors
    ///
    /// A text that quotes the name, unless there may be a password in it.
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("the request names no image".to_owned());
        }
        let registry = registry(name);
        let url = ServerUrl::parse(registry.as_bytes()).ok();
        let url = url.filter(|_| is_literal(registry) && is_clean(name));
        match url.as_ref().and_then(ServerUrl::host) {
            Some(host) => Ok(Self {
                registry: registry.to_owned(),
                host: host.to_owned(),
            }),
            None if name.contains('@') => Err("the request's image is not the name of one".to_owned()),
            None => Err(format!(
                "the request's image {:?} is not the name of one",
                truncate(&one_line(name), 100)
            )),
        }
    }
}

/// What stands before the first slash. Without one, the whole name is the registry's, or an image's of Docker Hub; then a
/// number behind a colon is a port and anything else a tag.
fn registry(name: &str) -> &str {
    let rest = after_http(name).unwrap_or(name);
    if let Some((registry, _)) = rest.split_once('/') {
        return registry;
    }
    let rest = rest.split_once('@').map_or(rest, |(rest, _digest)| rest);
    match rest.split_once(':') {
        Some((host, tag)) if !tag.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => rest,
    }
}

/// Whether the registry is a name or an address, and nothing that the kubelet would take for a pattern: it would hand the
/// password to every host of that form.
fn is_literal(registry: &str) -> bool {
    let is_in_address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    let rest = match registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) if address.bytes().all(is_in_address) => rest,
        Some(_) => return false,
        None => registry,
    };
    rest.bytes().all(is_in_name)
}

fn is_clean(name: &str) -> bool {
    !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com";

    fn parsed(name: &str) -> (String, String) {
        let image = Image::parse(name).unwrap();
        (image.registry, image.host)
    }

    #[test]
    fn the_registry_stands_before_the_first_slash() {
        let whole = (HOST.to_owned(), HOST.to_owned());
        for rest in [
            "",
            "/app",
            "/foo/bar:1.0",
            "/public.ecr.aws/foo:latest",
            "/app@sha256:0000",
            "/a@b/c",
            ":latest",
            "@sha256:0000",
            ":1.0@sha256:0000",
        ] {
            assert_eq!(parsed(&format!("{HOST}{rest}")), whole, "{rest}");
        }
        assert_eq!(parsed(&format!("https://{HOST}/app")), whole);
    }

    #[test]
    fn a_port_and_case_stay_in_the_registrys_name() {
        for registry in [format!("{HOST}:8443"), HOST.to_uppercase(), format!("{HOST}.")] {
            assert_eq!(parsed(&format!("{registry}/app")), (registry.clone(), HOST.to_owned()));
        }
        assert_eq!(parsed(&format!("{HOST}:8443")).0, format!("{HOST}:8443"));
    }

    #[test]
    fn images_of_other_registries_are_images_too() {
        for (name, host) in [
            ("nginx", "nginx"),
            ("nginx:latest", "nginx"),
            ("nginx:1", "nginx"),
            ("docker.io/library/nginx", "docker.io"),
            ("http://foobar", "foobar"),
            ("localhost:5000/a", "localhost"),
            ("[::1]:5000/a", "[::1]"),
        ] {
            assert_eq!(parsed(name).1, host, "{name}");
        }
    }

    #[test]
    fn what_is_no_image_is_named_unless_it_may_hold_a_password() {
        for name in [
            "foobar  ",
            " foobar",
            "/app",
            "a b/c",
            "*.amazonaws.com/app",
            "hub[a-z].corp.example/app",
            "hub]..corp.example/x",
            "[a-z].corp.example/x",
            "[a]x[b]/x",
            "a\n/b",
            "h:port/x",
            "é/x",
        ] {
            let why = Image::parse(name).unwrap_err();
            assert!(why.contains(name.trim()) || name.contains('\n'), "{why}");
            assert!(!why.contains('\n'), "{why}");
        }
        let why = Image::parse(&format!("user:hunter2@{HOST}/app")).unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
        assert!(Image::parse("").is_err());
    }
}
