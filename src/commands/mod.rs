//! What people ask for by hand, a file each.

pub mod account;
pub mod cache;
pub mod completions;
pub mod configure;
pub mod doctor;
pub mod get_login_password;
mod table;
