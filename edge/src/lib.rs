//! The HTTP door: an Edge Function of Supabase's. It checks who calls, maps a route to a function of the database, and
//! shapes the answer. It holds no rules of its own and takes no name of a table, schema or function from a request.
//!
//! What is decided here is decided without a host, so that it is tested without one; `door` has the rest.

pub mod answer;
pub mod body;
pub mod budget;
pub mod caller;
#[cfg(feature = "describe")]
pub mod describe;
pub mod fault;
pub mod jwt;
pub mod keys;
pub mod provider;
pub mod request;
pub mod route;
pub mod rpc;
pub mod settings;

#[cfg(target_arch = "wasm32")]
mod door;
