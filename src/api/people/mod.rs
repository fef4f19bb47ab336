//! What Profiles v5 and the History API share: people call them with a tenant's API key and a
//! bearer token (contract 1.2).

pub mod actor;
pub mod answer;
pub mod call;
pub mod failure;
pub mod guests;
pub mod identity;
pub mod known;
pub mod mistakes;
pub mod object;
pub mod write;
