//! What `cargo metadata` knows: packages, their licences, and who depends on whom.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The machines that we build for; what only others need is not looked at.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// One package of the dependency graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    /// Cargo's own identity of it.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence expression.
    pub(crate) licence: Option<String>,
    /// Where it comes from; `None` for a package of the workspace.
    pub(crate) source: Option<String>,
    /// Roots of its libraries and binaries, as absolute paths.
    pub(crate) roots: Vec<String>,
    /// Identities of what it needs to be built and run, tests left aside.
    pub(crate) needs: Vec<String>,
}

/// The whole graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    /// All packages.
    pub(crate) packages: Vec<Package>,
}

impl Metadata {
    /// Asks cargo about the workspace at `root`.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(root)
            .args(["metadata", "--format-version=1"]);
        for platform in PLATFORMS {
            command.arg(format!("--filter-platform={platform}"));
        }
        let output = command
            .output()
            .map_err(|why| format!("cannot run cargo metadata: {why}"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo metadata failed: {why}"));
        }
        Self::parse(&output.stdout)
    }

    /// Reads what `cargo metadata` printed.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|why| format!("cargo metadata printed something else: {why}"))?;
        let mut packages: Vec<Package> = list(&value["packages"]).map(package).collect();
        for node in list(&value["resolve"]["nodes"]) {
            let id = text(&node["id"]);
            if let Some(package) = packages.iter_mut().find(|package| package.id == id) {
                package.needs = needs(node);
            }
        }
        // What no resolved node names is there for other platforms only.
        let reached: Vec<String> = list(&value["resolve"]["nodes"])
            .map(|node| text(&node["id"]))
            .collect();
        packages.retain(|package| reached.contains(&package.id));
        Ok(Self { packages })
    }

    /// The packages of the workspace.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|p| p.source.is_none())
    }

    /// The package with this identity.
    pub(crate) fn get(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// Everything that `package` needs, over any number of steps.
    pub(crate) fn closure<'a>(&'a self, package: &'a Package) -> Vec<&'a Package> {
        let mut reached: Vec<&Package> = Vec::new();
        let mut open = vec![package];
        while let Some(next) = open.pop() {
            for need in next.needs.iter().filter_map(|id| self.get(id)) {
                if !reached.iter().any(|known| known.id == need.id) {
                    reached.push(need);
                    open.push(need);
                }
            }
        }
        reached
    }
}

fn package(value: &Value) -> Package {
    let roots = list(&value["targets"]).filter(|target| {
        list(&target["kind"]).any(|kind| matches!(kind.as_str(), Some("lib" | "bin")))
    });
    Package {
        id: text(&value["id"]),
        name: text(&value["name"]),
        version: text(&value["version"]),
        licence: value["license"].as_str().map(str::to_owned),
        source: value["source"].as_str().map(str::to_owned),
        roots: roots.map(|target| text(&target["src_path"])).collect(),
        needs: Vec::new(),
    }
}

fn needs(node: &Value) -> Vec<String> {
    let for_more_than_tests =
        |need: &&Value| list(&need["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev"));
    list(&node["deps"])
        .filter(for_more_than_tests)
        .map(|need| text(&need["pkg"]))
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "metadata_test.rs"]
mod tests;
