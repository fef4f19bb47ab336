//! The faces: HTTP in, engine, HTTP out. A handler parses, calls the engine and formats; rules
//! and SQL are elsewhere.

pub mod actor;
pub mod answer;
pub mod app;
pub mod call;
pub mod crafter;
pub mod documented;
pub mod failure;
pub mod guests;
pub mod history;
pub mod identity;
pub mod metrics;
pub mod mistakes;
pub mod object;
pub mod observe;
pub mod range;
pub mod routes;
pub mod v5;
pub mod write;

pub use routes::openapi;
