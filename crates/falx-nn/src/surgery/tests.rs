use super::*;
use crate::reference::{formula, small_network};
use crate::{flex_engine, onnx};

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
