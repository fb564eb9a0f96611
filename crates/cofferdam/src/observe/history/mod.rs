//! What is remembered of each second: figures of the service, its tenants and its machine.

mod figures;
mod host;
mod nodes;
mod recorder;
mod row;
mod second;
mod service;
mod tenants;

use std::sync::Arc;

pub(crate) use recorder::Recorder;
pub(crate) use row::Row;
pub(crate) use tenants::TENANT_FIGURES;

/// Everything that is known of one second. Rates are per second, times in seconds, sizes in bytes,
/// shares between 0 and 1; what is not known is NaN.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// Seconds since the Unix epoch.
    pub(crate) time_s: u64,
    /// Service and machine, by name.
    pub(crate) figures: Row,
    /// Tenants in the order of their making, all those without a line of their own last.
    pub(crate) tenants: Vec<TenantFrame>,
}

/// One tenant's second.
#[derive(Clone, Debug)]
pub(crate) struct TenantFrame {
    pub(crate) name: Arc<str>,
    /// In the order of [`TENANT_FIGURES`].
    pub(crate) values: Vec<f32>,
}

impl Frame {
    /// A figure of service or machine.
    pub(crate) fn figure(&self, name: &str) -> Option<f32> {
        self.figures.get(name)
    }

    /// One tenant.
    pub(crate) fn tenant(&self, name: &str) -> Option<&TenantFrame> {
        self.tenants.iter().find(|tenant| &*tenant.name == name)
    }

    /// All names and figures as the history has them.
    fn flat(&self) -> Vec<(String, f32)> {
        let of_tenants = self.tenants.iter().flat_map(TenantFrame::series);
        let own = self
            .figures
            .iter()
            .map(|(name, value)| (name.to_owned(), value));
        let all = own.chain(of_tenants);
        all.map(|(name, value)| (name, *value)).collect()
    }
}

impl TenantFrame {
    /// Its figures by their names in the history.
    pub(crate) fn series(&self) -> impl Iterator<Item = (String, &f32)> {
        let values = TENANT_FIGURES.iter().zip(&self.values);
        values.map(|(figure, value)| (tenant_series(&self.name, figure), value))
    }

    /// One of its figures by its name in [`TENANT_FIGURES`].
    pub(crate) fn get(&self, figure: &str) -> f32 {
        let place = TENANT_FIGURES.iter().position(|own| *own == figure);
        let value = place.and_then(|place| self.values.get(place));
        value.copied().unwrap_or(f32::NAN)
    }
}

/// The name of a tenant's figure in the history.
pub(crate) fn tenant_series(tenant: &str, figure: &str) -> String {
    format!("tenant/{tenant}/{figure}")
}

#[cfg(test)]
#[path = "frame_test.rs"]
mod tests;
