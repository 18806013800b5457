//! What rows and tenants can be named by.

use crate::registry::Registry;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::search::{Id, Ids, Name};

/// What rows and tenants can be named by: uuid, or text.
pub trait Key: FromDatum + IntoDatum + Clone {
    /// What core calls it.
    type Name: Name + Default;

    /// What a search names rows and tenants by.
    const IDS: Ids;

    /// As core calls it.
    fn name(&self) -> Self::Name;

    /// Of a row in a store: what it is called there, and its key where that is no uuid.
    fn of(id: Uuid, key: Option<String>) -> Self;

    /// As a text, where it is one.
    fn text(&self) -> Option<&str>;

    /// Whose rows are asked for, as a text, where it decides which sources can have such a tenant.
    fn named(registry: &Registry, tenant: Option<&Self>) -> spi::Result<Option<String>>;

    /// Whose rows: core decides.
    fn tenant(
        registry: &Registry,
        filter: Option<Self::Name>,
        row_security: bool,
    ) -> Result<Self, ErrorReport>;

    /// Who is asking, where that is known to the policies of stores.
    fn caller(&self) -> Option<Uuid>;

    /// An array of them, as a parameter.
    fn array(keys: Vec<Self>) -> DatumWithOid<'static>;
}

impl Key for Uuid {
    type Name = Id;

    const IDS: Ids = Ids::Uuid;

    fn name(&self) -> Id {
        *self.as_bytes()
    }

    fn of(id: Uuid, _: Option<String>) -> Self {
        id
    }

    fn text(&self) -> Option<&str> {
        None
    }

    fn named(_: &Registry, _: Option<&Self>) -> spi::Result<Option<String>> {
        Ok(None)
    }

    fn tenant(registry: &Registry, filter: Option<Id>, row_security: bool) -> Result<Self, ErrorReport> {
        registry.tenant(filter.map(Uuid::from_bytes), row_security)
    }

    fn caller(&self) -> Option<Uuid> {
        Some(*self)
    }

    fn array(keys: Vec<Self>) -> DatumWithOid<'static> {
        keys.into()
    }
}

impl Key for String {
    type Name = String;

    const IDS: Ids = Ids::Text;

    fn name(&self) -> String {
        self.clone()
    }

    fn of(id: Uuid, key: Option<String>) -> Self {
        key.unwrap_or_else(|| id.to_string())
    }

    fn text(&self) -> Option<&str> {
        Some(self)
    }

    fn named(registry: &Registry, tenant: Option<&Self>) -> spi::Result<Option<String>> {
        tenant.map_or_else(|| registry.caller_by_text(), |tenant| Ok(Some(tenant.clone())))
    }

    fn tenant(registry: &Registry, filter: Option<String>, row_security: bool) -> Result<Self, ErrorReport> {
        registry.tenant_by_text(filter, row_security)
    }

    /// A caller need not be a uuid. Where they must be one, for the policy of a store, it finds that out by itself.
    fn caller(&self) -> Option<Uuid> {
        None
    }

    fn array(keys: Vec<Self>) -> DatumWithOid<'static> {
        keys.into()
    }
}
