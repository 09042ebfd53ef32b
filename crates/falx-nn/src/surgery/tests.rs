use super::*;
use crate::reference::{formula, small_network};
use crate::zoo::{self, NetworkConfig};
use crate::{backbone, flex_engine, onnx};

const HEAD: Head = Head {
    outputs: 6,
    dropout: 0.5,
    seed: 3,
};

#[test]
fn a_cut_keeps_what_the_value_needs_and_its_numbers() {
    let (graph, parameters) = small_network();
    let backbone = graph.cut_at("flatten").unwrap();
    assert_eq!(backbone.nodes().last().unwrap().name, "flatten");
    assert_eq!(
        backbone.outputs(),
        [(
            "flatten".to_owned(),
            Value::of_node(backbone.nodes().len() - 1)
        )]
    );
    let images = formula("input", &[2, 3, 32, 32]);
    let features = flex_engine(0)
        .logits(&backbone, &parameters, &images)
        .unwrap();
    assert_eq!(features.shape, [2, 32]);
    let wrong = graph.cut_at("flaten").unwrap_err();
    assert!(wrong.to_string().contains("flatten"), "{wrong}");
    assert!(matches!(wrong, SurgeryError::Name { .. }));
}

#[test]
fn an_imported_file_is_cut_by_its_own_names_and_takes_a_head() {
    let (graph, parameters) = small_network();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    onnx::write(&graph, &parameters, &path).unwrap();
    let options = ReadOptions::default();
    let images = formula("input", &[2, 3, 32, 32]);
    let expected = graph.cut_at("blocks.3.pool").unwrap();
    let expected = flex_engine(0)
        .logits(&expected, &parameters, &images)
        .unwrap();
    let (backbone, kept, _) = import(&path, &options, Some("blocks.3.pool"), None).unwrap();
    let found = flex_engine(0).logits(&backbone, &kept, &images).unwrap();
    assert_eq!(found, expected);
    assert!(kept.get("fc1.weight").is_none(), "what is cut off is gone");
    let (whole, all, _) = import(&path, &options, Some("blocks.3.pool"), Some(&HEAD)).unwrap();
    assert_eq!(
        all.get("blocks.0.conv.weight"),
        parameters.get("blocks.0.conv.weight")
    );
    assert_eq!(all.get("head.fc.weight").unwrap().shape, [6, 32]);
    let logits = flex_engine(0).logits(&whole, &all, &images).unwrap();
    assert_eq!(logits.shape, [2, 6]);
    let unknown = import(&path, &options, Some("blocks.9"), None).unwrap_err();
    assert!(unknown.to_string().contains("blocks.9"), "{unknown}");
}

#[test]
fn grey_images_give_the_same_with_any_number_of_channels() {
    let (graph, parameters) = small_network();
    let grey = formula("input", &[2, 1, 32, 32]);
    let repeated = |channels: usize| {
        let planes = grey.data.chunks_exact(32 * 32);
        let data = planes
            .flat_map(|plane| std::iter::repeat_n(plane, channels))
            .flatten();
        Tensor::new(&[2, channels, 32, 32], data.copied().collect()).unwrap()
    };
    let expected = flex_engine(0)
        .logits(&graph, &parameters, &repeated(3))
        .unwrap();
    for channels in [1, 2, 3, 5, 9] {
        let (changed, weights) = graph.with_input_channels(&parameters, channels).unwrap();
        assert_eq!(changed.input(), [channels, 32, 32]);
        let logits = flex_engine(0)
            .logits(&changed, &weights, &repeated(channels))
            .unwrap();
        for (ours, theirs) in logits.data.iter().zip(&expected.data) {
            assert!((ours - theirs).abs() < 1e-5, "{channels}: {ours} {theirs}");
        }
    }
    let features = graph.cut_at("flatten").unwrap().with_head(&HEAD).unwrap();
    assert!(matches!(
        features.with_input_channels(&Parameters::default(), 1),
        Err(SurgeryError::Weight(_))
    ));
}

#[test]
fn a_backbone_from_elsewhere_keeps_its_features_and_gets_a_head_of_the_zoo() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    let config = NetworkConfig {
        size: 32,
        width: 4,
        ..NetworkConfig::default()
    };
    let original = zoo::build(&config).unwrap();
    let parameters = Parameters::initialise(&original, 3);
    onnx::write(&original, &parameters, &path).unwrap();

    let wanted = NetworkConfig {
        head: zoo::Head::Dense,
        coherence: zoo::Coherence::Maximum,
        ..config.clone()
    };
    let made = backbone(&path, Some("blocks.3.pool"), &wanted).unwrap();
    let modules = zoo::modules(&made.graph);
    assert_eq!(modules.head, ["fc.0", "fc.2"]);
    assert!(modules.backbone.iter().all(|m| m.starts_with("backbone.")));
    let all = made.first(0);
    let images = Tensor::new(
        &[2, 3, 32, 32],
        (0..6144).map(|x| (x % 17) as f32 / 17.0).collect(),
    );
    let images = images.unwrap();
    let value = |graph: &Graph, parameters: &Parameters, at: &str| {
        let cut = graph.cut_at(at).unwrap();
        let parameters = crate::passes::kept(parameters, &cut);
        flex_engine(0).logits(&cut, &parameters, &images).unwrap()
    };
    let ours = value(&made.graph, &all, "backbone.blocks.3.pool");
    assert_eq!(ours, value(&original, &parameters, "blocks.3.pool"));

    // Other images: another size, other channels.
    let other = NetworkConfig {
        size: 48,
        channels: 5,
        ..config.clone()
    };
    let other = backbone(&path, Some("blocks.3.pool"), &other).unwrap();
    assert_eq!(other.graph.input(), [5, 48, 48]);
    assert_eq!(other.notes.len(), 2, "{:?}", other.notes);

    // Without a cut the head reads what the file gives, a row here.
    let row = backbone(&path, None, &config).unwrap();
    assert_eq!(zoo::modules(&row.graph).head, ["fc"]);
    assert!(row.graph.with_embedding().is_ok());
    let error = backbone(&path, Some("blocks.9.pool"), &config).unwrap_err();
    assert!(error.to_string().contains("blocks.2.pool"), "{error}");
}
