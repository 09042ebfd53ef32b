//! Every way in which a file is refused, by a file that is refused so.

use prost::Message;

use super::{attribute, dims, file, float, node, with_attributes};
use crate::onnx::message::{Entry, OperatorSet, Sparse, TensorData};
use crate::onnx::read::*;

fn refusal(model: &Model) -> ReadError {
    refusal_with(model, &ReadOptions::default())
}

fn refusal_with(model: &Model, options: &ReadOptions) -> ReadError {
    let bytes = model.encode_to_vec();
    read_bytes(&bytes, options).unwrap_err()
}

fn graph(model: &mut Model) -> &mut GraphMessage {
    model.graph.as_mut().unwrap()
}

#[test]
fn an_unknown_operator_is_named_with_its_node_and_place() {
    let mut model = file();
    graph(&mut model).node[1].op_type = Some("Mish".to_owned());
    let error = refusal(&model);
    assert!(matches!(&error, ReadError::Operator(at) if at.index == 1 && at.operator == "Mish"));
    let said = error.to_string();
    assert!(
        said.contains("Mish") && said.contains("relu") && said.contains('1'),
        "{said}"
    );
    // What only follows a cut is not read.
    let output = Some("a".to_owned());
    read_bytes(
        model.encode_to_vec(),
        &ReadOptions {
            output,
            ..ReadOptions::default()
        },
    )
    .unwrap();
}

#[test]
fn a_cycle_is_named() {
    let mut model = file();
    graph(&mut model).node[0].input[0] = "b".to_owned();
    assert!(matches!(refusal(&model), ReadError::Cycle(at) if at.index == 0));
}

#[test]
fn names_given_twice_and_not_at_all_are_named() {
    let mut model = file();
    graph(&mut model).node[1].output[0] = "a".to_owned();
    assert!(matches!(refusal(&model), ReadError::Duplicate(name) if name == "a"));
    let mut model = file();
    let twice = graph(&mut model).initializer[0].clone();
    graph(&mut model).initializer.push(twice);
    assert!(matches!(refusal(&model), ReadError::Duplicate(name) if name == "conv.weight"));
    let mut model = file();
    graph(&mut model).node[0].input[1] = "lost".to_owned();
    assert!(matches!(refusal(&model), ReadError::Missing { tensor, .. } if tensor == "lost"));
    let output = Some("cnv".to_owned());
    let options = ReadOptions {
        output,
        ..ReadOptions::default()
    };
    let error = refusal_with(&file(), &options);
    assert!(error.to_string().contains("conv"), "{error}");
    assert!(matches!(error, ReadError::Name { .. }));
}

#[test]
fn shapes_that_do_not_fit_are_explained_at_their_node() {
    let mut model = file();
    graph(&mut model).initializer[0] = float("conv.weight", &[2, 3, 1, 1], &[1.0; 6]);
    assert!(
        matches!(refusal(&model), ReadError::Weight { expected, .. } if *expected == [2, 1, 1, 1])
    );
    let mut model = file();
    graph(&mut model).node[0].attribute = vec![
        attribute("pads", &[0, 0, 0, 0]),
        attribute("strides", &[0, 1]),
    ];
    assert!(matches!(refusal(&model), ReadError::Shape { place, .. } if place.node == "conv"));
}

#[test]
fn tensors_that_lie_about_their_length_are_refused_before_anything_is_allocated() {
    for dims in [
        vec![1 << 31, 1, 1, 1],
        vec![i64::MAX, i64::MAX],
        vec![-1, 1],
        vec![3, 2, 1, 1],
    ] {
        let mut model = file();
        graph(&mut model).initializer[0].dims = dims;
        assert!(matches!(refusal(&model), ReadError::Tensor { .. }));
    }
    // A field that announces two gigabytes in a file of a hundred bytes.
    let bytes = [&[0x08, 8, 0x3A, 0x80, 0x80, 0x80, 0x80, 0x08][..], &[0; 92]].concat();
    let error = read_bytes(&bytes, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, ReadError::Truncated { missing } if missing == (1 << 31) - 92));
}

#[test]
fn damaged_weights_are_named() {
    for value in [f32::NAN, f32::INFINITY] {
        let mut model = file();
        graph(&mut model).initializer[0] = float("conv.weight", &[2, 1, 1, 1], &[1.0, value]);
        assert!(
            matches!(refusal(&model), ReadError::NotFinite { tensor, .. } if tensor == "conv.weight")
        );
    }
}

#[test]
fn external_data_stay_in_the_models_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("model");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(folder.path().join("outside.bin"), [0; 64]).unwrap();
    let read_at = |location: &str, offset: &str, content: Option<&[u8]>| {
        let mut model = file();
        let entry = |key: &str, value: &str| Entry {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        graph(&mut model).initializer[0] = TensorData {
            raw_data: None,
            data_location: Some(1),
            external_data: vec![entry("location", location), entry("offset", offset)],
            ..float("conv.weight", &[2, 1, 1, 1], &[])
        };
        if let Some(content) = content {
            std::fs::write(inner.join(location), content).unwrap();
        }
        let path = inner.join("model.onnx");
        std::fs::write(&path, model.encode_to_vec()).unwrap();
        read(&path, &ReadOptions::default())
    };
    let weights = [0_f32, 2.0, 3.0].map(f32::to_le_bytes).concat();
    let imported = read_at("weights.bin", "4", Some(&weights)).unwrap();
    assert_eq!(
        imported.parameters.get("conv.weight").unwrap().data,
        [2.0, 3.0]
    );
    assert!(matches!(
        read_at("weights.bin", "8", None),
        Err(ReadError::Tensor { .. })
    ));
    assert!(matches!(
        read_at("nowhere.bin", "0", None),
        Err(ReadError::ExternalData { .. })
    ));
    for location in [
        "../outside.bin",
        "/etc/passwd",
        "a/../../outside.bin",
        "..\\outside.bin",
        "",
    ] {
        assert!(
            matches!(read_at(location, "0", None), Err(ReadError::Escape { .. })),
            "{location}"
        );
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("outside.bin"), inner.join("link.bin"))
            .unwrap();
        assert!(matches!(
            read_at("link.bin", "0", None),
            Err(ReadError::Escape { .. })
        ));
    }
}

#[test]
fn other_files_versions_and_domains_are_refused() {
    let none = ReadOptions::default();
    for bytes in [&b""[..], b"PK\x03\x04 a zip", b"{\"json\": 1}", &[0x08, 8]] {
        let error = read_bytes(bytes, &none).unwrap_err();
        assert!(matches!(error, ReadError::NotOnnx(_)), "{bytes:?}: {error}");
    }
    for version in [6, 22] {
        let mut model = file();
        model.opset_import[0] = OperatorSet {
            domain: None,
            version: Some(version),
        };
        assert!(matches!(refusal(&model), ReadError::Opset { found, .. } if found == version));
    }
    let mut model = file();
    graph(&mut model).node[1].domain = Some("com.microsoft".to_owned());
    assert!(
        matches!(refusal(&model), ReadError::Domain { domain, .. } if domain == "com.microsoft")
    );
    let mut model = file();
    graph(&mut model).sparse_initializer = vec![Sparse {
        values: Some(float("thin", &[1], &[1.0])),
    }];
    assert!(matches!(refusal(&model), ReadError::Sparse(name) if name == "thin"));
    let mut model = file();
    let mut branch = attribute("then_branch", &[]);
    branch.g = Some(vec![1, 2, 3].into());
    graph(&mut model).node[1] = with_attributes(node("If", "if", &["a"], "b"), vec![branch]);
    assert!(matches!(refusal(&model), ReadError::Subgraph(at) if at.operator == "If"));
    let missing = read(Path::new("no-such-model.onnx"), &none).unwrap_err();
    assert!(matches!(missing, ReadError::Open { .. }));
}

#[test]
fn open_sizes_are_asked_for_and_fixed_batches_refused() {
    let with_input = |lengths: &[i64]| {
        let mut model = file();
        graph(&mut model).input[0] = dims("input", lengths);
        model
    };
    let asked = |shape: &[usize]| ReadOptions {
        input: Some(shape.to_vec()),
        ..ReadOptions::default()
    };
    let open = with_input(&[0, 1, 0, 0]);
    let error = refusal(&open);
    assert!(error.to_string().contains("--size"), "{error}");
    let imported = read_bytes(open.encode_to_vec(), &asked(&[1, 5, 7])).unwrap();
    assert_eq!(imported.graph.input(), [1, 5, 7]);
    for shape in [&[2, 5, 7][..], &[5, 7], &[1, 0, 7], &[1, usize::MAX, 7]] {
        assert!(
            matches!(refusal_with(&open, &asked(shape)), ReadError::Misfit { .. }),
            "{shape:?}"
        );
    }
    let batch = with_input(&[4, 1, 4, 4]);
    assert!(matches!(refusal(&batch), ReadError::Batch { batch: 4 }));
    let one = with_input(&[1, 1, 4, 4]);
    let notes = read_bytes(one.encode_to_vec(), &ReadOptions::default())
        .unwrap()
        .notes;
    assert!(
        notes.iter().any(|note| note.0.contains("batch of 1")),
        "{notes:?}"
    );
}
