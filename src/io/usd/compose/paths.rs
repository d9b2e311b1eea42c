//! Paths of prims and of files.

/// A path from the root of the layer, of one that may start at the prim `base`.
pub(super) fn absolute(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    if path.starts_with('.') && !path.starts_with("..") && !path.starts_with("./") && path != "." {
        // A property of the prim itself.
        return format!("{base}{path}");
    }
    let mut steps: Vec<&str> = base.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    format!("/{}", steps.join("/"))
}

/// Where the prims of a layer are laid: beginnings of paths in it and in the whole, the first that fits
/// counts.
#[derive(Debug, Clone)]
pub(super) struct Map(pub Vec<(String, String)>);

impl Map {
    /// A path in the whole; `None` for a prim that is not brought in.
    pub fn of(&self, path: &str) -> Option<String> {
        self.0.iter().find_map(|(from, to)| {
            let rest = path.strip_prefix(from.trim_end_matches('/'))?;
            let is_whole = rest.is_empty() || rest.starts_with(['/', '.']);
            is_whole.then(|| {
                let to = to.trim_end_matches('/');
                if to.is_empty() && rest.is_empty() {
                    "/".into()
                } else {
                    format!("{to}{rest}")
                }
            })
        })
    }
}

/// The path of a file from the folder of the first one, of one that starts in `folder`. What leads out of
/// the folder, or is no relative path, stays so: whoever opens it refuses it.
pub(super) fn joined(folder: &str, asset: &str) -> String {
    if asset.starts_with('/') || asset.contains([':', '\\']) {
        return asset.to_owned();
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(asset.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// The folder of a file.
pub(super) fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_prims_start_where_they_say() {
        assert_eq!(absolute("/a/b", "/c"), "/c");
        assert_eq!(absolute("/a/b", "c"), "/a/b/c");
        assert_eq!(absolute("/a/b", "../c"), "/a/c");
        assert_eq!(absolute("/a/b", "../../../c.x"), "/c.x");
        assert_eq!(absolute("/a/b", ".x"), "/a/b.x");
    }

    #[test]
    fn maps_change_whole_names() {
        let map = Map(vec![("/a".into(), "/x/y".into())]);
        assert_eq!(map.of("/a/b").as_deref(), Some("/x/y/b"));
        assert_eq!(map.of("/a.c").as_deref(), Some("/x/y.c"));
        assert_eq!(map.of("/ab"), None);
        let whole = Map(vec![("/".into(), "/".into())]);
        assert_eq!(whole.of("/a/b").as_deref(), Some("/a/b"));
        assert_eq!(whole.of("/").as_deref(), Some("/"));
    }

    #[test]
    fn paths_of_files_start_in_a_folder() {
        assert_eq!(joined("", "./a.usd"), "a.usd");
        assert_eq!(joined("x/y", "../a.usd"), "x/a.usd");
        assert_eq!(joined("x", "../../a.usd"), "../a.usd");
        assert_eq!(joined("x", "/etc/passwd"), "/etc/passwd");
        assert_eq!(folder("x/y/a.usd"), "x/y");
        assert_eq!(folder("a.usd"), "");
    }
}
