//! `/api/1/authentication` (contract 1, 4.6): log-ins, tickets, persistent logins.

pub mod log_in;
pub mod persistent_login;
pub mod ticket;
