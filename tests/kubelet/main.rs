//! The kubelet's credential provider, asked as the kubelet asks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod accounts;
mod aws_plugin;
mod names;
mod node;
mod protocol;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
