use std::path::Path;

use falx_nn::weights::save;

use super::*;
use crate::NetworkChoice;

fn recipe(lines: &str) -> Recipe {
    toml::from_str(&format!(
        "{lines}\n[data]\nindex = \"i\"\nsplit = \"s\"\n[input]\nsize = 32\n[network]\nname = \"resnet18\"\n"
    ))
    .unwrap()
}

fn graph(recipe: &Recipe) -> Graph {
    zoo::build(&recipe.network.config(&recipe.input)).unwrap()
}

/// Weights of the network that colour images of `classes` classes gave.
fn imported(folder: &Path, classes: usize) -> (Recipe, Parameters) {
    let mut recipe = recipe("seed = 4");
    let config = zoo::NetworkConfig {
        outputs: classes,
        ..recipe.network.config(&recipe.input)
    };
    let parameters = Parameters::initialise(&zoo::build(&config).unwrap(), 9);
    let path = folder.join("weights.safetensors");
    std::fs::write(&path, save(&parameters).unwrap()).unwrap();
    recipe.network.weights = Some(path);
    (recipe, parameters)
}

#[test]
fn the_backbone_starts_from_the_weights_and_the_head_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (recipe, file) = imported(folder.path(), 1000);
    let graph = graph(&recipe);
    let (started, mapping) = start(&recipe, &graph).unwrap();
    let drawn = Parameters::initialise(&graph, recipe.seed);
    for (name, tensor) in started.iter() {
        let from = if name.starts_with("fc") {
            &drawn
        } else {
            &file
        };
        assert_eq!(Some(tensor), from.get(name), "{name}");
    }
    assert_eq!(mapping.unwrap().left, ["fc.weight", "fc.bias"]);
}

#[test]
fn weights_of_other_channels_are_adapted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recipe, file) = imported(folder.path(), 6);
    recipe.input.planes_mm = vec![-5.0, 0.0, 5.0];
    let (started, _) = start(&recipe, &graph(&recipe)).unwrap();
    let stem = started.get("conv1.weight").unwrap();
    assert_eq!(stem.shape, [64, 9, 7, 7]);
    assert_eq!(started.get("bn1.weight"), file.get("bn1.weight"));
}

#[test]
fn weights_of_another_network_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recipe, _) = imported(folder.path(), 6);
    for name in ["resnet34", "vgg16"] {
        recipe.network = NetworkChoice {
            name: name.to_owned(),
            ..recipe.network
        };
        let error = start(&recipe, &graph(&recipe)).unwrap_err().to_string();
        assert!(error.contains("weights.safetensors"), "{error}");
    }
}

#[test]
fn words_of_a_recipe_become_modules() {
    let lines = "layer_decay = 0.5\n\
        phases = [{ epochs = 1, frozen = [\"backbone\"], rate = 5.0 }, { frozen = [\"layer1\"], running_statistics = [] }]\n\
        groups = [{ module = \"head\", rate = 2.0 }, { module = \"layer4.1\", rate = 0.9 }]";
    let recipe = recipe(lines);
    let plan = Plan::new(&recipe, &graph(&recipe)).unwrap();
    let (first, rate) = plan.of_epoch(0);
    assert!(first.freezes("conv1.weight") && first.freezes("layer4.1.conv2.weight"));
    assert!(!first.freezes("fc.weight") && first.keeps_statistics("layer4.1.bn2"));
    assert_eq!(rate, 5.0);
    let (second, rate) = plan.of_epoch(7);
    assert!(second.freezes("layer1.0.conv1.weight") && !second.freezes("conv1.weight"));
    assert!(!second.keeps_statistics("layer1.0.bn1"));
    assert_eq!(rate, 1.0);
    let rate = |module: &str| {
        let mut groups = plan.groups.iter();
        groups
            .find(|group| group.module == module)
            .map(|group| group.rate)
    };
    assert_eq!(rate("fc"), Some(2.0));
    assert_eq!(rate("layer4.1"), Some(0.9));
    assert_eq!(rate("layer4.0"), Some(0.25));
    assert!(rate("conv1").unwrap() < rate("layer1.0").unwrap());
    assert_eq!(rate("head"), None);
}

#[test]
fn a_module_that_is_not_there_is_named_with_those_that_are() {
    let recipe = recipe("groups = [{ module = \"layer5\" }]");
    let error = Plan::new(&recipe, &graph(&recipe))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("layer5") && error.contains("layer4.1"),
        "{error}"
    );
}
