use falx_nn::Parameters;
use falx_nn::zoo::{self, NetworkConfig};

use super::*;
use crate::{MODEL_ONNX, RuntimeKind};

const CARD: &str = r#"
network = "theirs"
licence = "MIT"
intended_use = "tests"
labels = ["any", "epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural"]

[prevalence]
any = 0.14
epidural = 0.004
intraparenchymal = 0.05
intraventricular = 0.03
subarachnoid = 0.05
subdural = 0.06

[input]
size = 32
windows = [[40, 80], [80, 200], [600, 2800]]
"#;

/// A folder with `net.onnx`, whose numbers come in an order of their own, and `card.toml`.
fn folder(card: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = NetworkConfig {
        size: 32,
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config).unwrap().with_probabilities().unwrap();
    let parameters = Parameters::initialise(&graph, 3);
    let bytes = onnx::to_bytes(&graph, &parameters).unwrap();
    std::fs::write(folder.path().join("net.onnx"), bytes).unwrap();
    std::fs::write(folder.path().join("card.toml"), card).unwrap();
    folder
}

fn import(folder: &tempfile::TempDir) -> Result<Bundle, ForeignError> {
    let at = |name: &str| folder.path().join(name);
    let made = import_bundle(&at("net.onnx"), &at("card.toml"), &at("bundle"));
    made.map(|(bundle, _)| bundle)
}

fn probabilities(path: &Path) -> [f64; 6] {
    let onnx = std::fs::read(path).unwrap();
    let mut model = Model::load(onnx, path, RuntimeKind::default(), 1).unwrap();
    let images: Vec<f32> = (0..3 * 32 * 32)
        .map(|i| (i as f32 * 0.618).fract())
        .collect();
    let rows = model.probabilities(&images, [1, 3, 32, 32]).unwrap();
    rows[0].map(falx_core::Probability::get)
}

#[test]
fn their_labels_come_in_our_order() {
    let folder = folder(CARD);
    let bundle = import(&folder).unwrap();
    let theirs = probabilities(&folder.path().join("net.onnx"));
    let ours = probabilities(&bundle.place(MODEL_ONNX));
    assert_eq!(ours, [1, 2, 3, 4, 5, 0].map(|at| theirs[at]));
    let opened = Bundle::open(&folder.path().join("bundle")).unwrap();
    assert_eq!(
        opened.manifest().prevalence,
        [0.004, 0.05, 0.03, 0.05, 0.06, 0.14]
    );
    assert_eq!(opened.manifest().network, "theirs");
    let card = std::fs::read_to_string(folder.path().join("bundle/MODEL_CARD.md")).unwrap();
    assert!(
        card.contains("nobody has judged it") && !card.contains("NaN"),
        "{card}"
    );
}

#[test]
fn probabilities_may_be_taken_as_they_are() {
    let card = CARD.replace(
        "labels = ",
        "gives = \"probabilities\"\noutput = \"probabilities\"\nlabels = ",
    );
    let folder = folder(&card);
    let bundle = import(&folder).unwrap();
    let theirs = probabilities(&folder.path().join("net.onnx"));
    let ours = probabilities(&bundle.place(MODEL_ONNX));
    for (found, meant) in ours.iter().zip([1, 2, 3, 4, 5, 0].map(|at| theirs[at])) {
        assert!((found - meant).abs() < 1e-6, "{found} {meant}");
    }
}

#[test]
fn what_does_not_fit_is_said_before_anything_is_written() {
    for (from, to, word) in [
        ("\"any\", ", "", "labels"),
        ("\"any\"", "\"bleed\"", "labels"),
        ("any = 0.14", "any = 1.4", "prevalence"),
        ("any = 0.14", "all = 0.14", "prevalence"),
        ("size = 32", "size = 48", "3, 48, 48"),
        (
            "[[40, 80], [80, 200], [600, 2800]]",
            "[[40, 80]]",
            "1, 32, 32",
        ),
        ("licence", "license", "license"),
        ("labels = ", "output = \"logit\"\nlabels = ", "logit"),
        (
            "labels = ",
            "output = \"blocks.3.pool\"\nlabels = ",
            "six are wanted",
        ),
    ] {
        let folder = folder(&CARD.replace(from, to));
        let error = import(&folder).unwrap_err().to_string();
        assert!(error.contains(word), "{from} -> {to}: {error}");
        assert!(!folder.path().join("bundle").exists(), "{error}");
    }
    let folder = folder(CARD);
    std::fs::write(folder.path().join("net.onnx"), "no network").unwrap();
    assert!(matches!(import(&folder), Err(ForeignError::Network { .. })));
    std::fs::remove_file(folder.path().join("card.toml")).unwrap();
    assert!(matches!(import(&folder), Err(ForeignError::Io { .. })));
}
