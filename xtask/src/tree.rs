//! The files of the workspace that rules look at, read once.

use std::fs;
use std::path::Path;

/// Folders that hold no source of ours.
const SKIPPED: [&str; 4] = ["target", "node_modules", "corpus", "__pycache__"];

/// One text file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Path from the workspace's root, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

impl File {
    /// Whether it holds tests, benchmarks, examples or fuzz targets, not what users run.
    pub(crate) fn is_test(&self) -> bool {
        let in_folder = ["tests", "benches", "examples", "fuzz"]
            .iter()
            .any(|folder| self.path.split('/').any(|part| part == *folder));
        in_folder || self.path.ends_with("_test.rs") || self.path.ends_with("/tests.rs")
    }

    /// The crate that it belongs to, by its folder; empty outside of crates.
    pub(crate) fn crate_name(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or_default(),
            Some("xtask") => "xtask",
            _ => "",
        }
    }
}

/// All Rust and Markdown files, and the names of all others.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: Vec<File>,
    /// Every path there is, folders too, for links to be checked against.
    pub(crate) paths: Vec<String>,
}

impl Tree {
    /// The Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.with_ending(".rs")
    }

    /// The Markdown files.
    pub(crate) fn markdown(&self) -> impl Iterator<Item = &File> {
        self.with_ending(".md")
    }

    /// The file at `path`, if it is Rust or Markdown.
    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    fn with_ending(&self, ending: &'static str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |f| f.path.ends_with(ending))
    }
}

#[cfg(test)]
impl Tree {
    /// A tree out of nothing but `(path, text)`.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let paths = files.iter().map(|file| file.path.clone()).collect();
        Self { files, paths }
    }
}

/// Reads the workspace at `root`.
pub(crate) fn read(root: &Path) -> Result<Tree, String> {
    let mut tree = Tree::default();
    walk(root, "", &mut tree)?;
    tree.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(tree)
}

fn walk(root: &Path, folder: &str, tree: &mut Tree) -> Result<(), String> {
    let failed = |why: std::io::Error| format!("cannot read folder {folder:?}: {why}");
    for entry in fs::read_dir(root.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        tree.paths.push(path.clone());
        if is_folder {
            walk(root, &path, tree)?;
        } else if path.ends_with(".rs") || path.ends_with(".md") {
            let text = fs::read_to_string(root.join(&path))
                .map_err(|why| format!("cannot read {path}: {why}"))?;
            tree.files.push(File { path, text });
        }
    }
    Ok(())
}
