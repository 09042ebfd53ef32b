//! Which parameters of a network of the zoo are its backbone's, and which its head's.

use crate::Graph;

/// The modules that own parameters, from the input to the output: a module is how its parameters' names begin, up to a dot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// What makes features of an image.
    pub backbone: Vec<String>,
    /// What makes logits of features: all behind the pooling.
    pub head: Vec<String>,
}

/// The modules of a network that [`super::build`] made.
///
/// Those of the backbone are named as shortly as they can be without meaning a part of the head, but by at most two
/// words, so that `layer1.0` and `layer1.1` are two.
pub fn modules(graph: &Graph) -> Modules {
    // A row of features from elsewhere is not pooled.
    let is_pooling = |name: &str| name == "pool" || name.starts_with("pool.") || name == "flatten";
    let nodes = graph.nodes();
    let pooling = nodes.iter().position(|node| is_pooling(&node.name));
    // A node's own parameters are one word behind its name, or its name.
    let owns = |name: &str| {
        let mut parameters = graph.parameters().iter();
        parameters.any(|spec| match spec.name.strip_prefix(name) {
            Some("") => true,
            Some(rest) => rest.starts_with('.') && !rest[1..].contains('.'),
            None => false,
        })
    };
    let (below, above) = nodes.split_at(pooling.unwrap_or(nodes.len()));
    let owners = |nodes: &[crate::Node]| -> Vec<String> {
        let names = nodes.iter().map(|node| node.name.clone());
        names.filter(|name| owns(name)).collect()
    };
    let head = owners(above);
    let clashes = |short: &str| {
        head.iter()
            .any(|name| crate::engine::belongs(name, short) || crate::engine::belongs(short, name))
    };
    let mut backbone: Vec<String> = Vec::new();
    for name in owners(below) {
        let short = short(&name);
        let module = if clashes(short) { &name } else { short };
        if !backbone.iter().any(|known| known == module) {
            backbone.push(module.to_owned());
        }
    }
    Modules { backbone, head }
}

/// The first two words of a name.
fn short(name: &str) -> &str {
    let end = name
        .match_indices('.')
        .nth(1)
        .map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or(name)
}
