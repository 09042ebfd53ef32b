//! The scripts in which npm's `nsfwjs` packs TensorFlow.js' manifest and shards.
//!
//! A script is one object as JavaScript writes it (`{name:"conv2d_1/kernel",shape:[3,3,3,32],…}`), or one string of
//! base64. Both are read as text; nothing is run.
//!
//! # Source
//! TensorFlow.js, `io/types.ts`: a weight of type `uint8` is `byte × scale + min`, tensor by tensor.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use falx_nn::Tensor;
use falx_nn::weights::{Format, NamedTensors, keras_name, turned_from_tensorflow};

/// One tensor's entry in the manifest.
#[derive(Clone, Debug, PartialEq)]
struct Weight {
    name: String,
    shape: Vec<usize>,
    min: f64,
    scale: f64,
}

/// The tensors of a manifest and its shards, in the manifest's order, named and laid out as PyTorch does.
///
/// # Errors
/// What is wrong with them, in words.
pub fn tensors(manifest: &str, shards: &[String]) -> Result<NamedTensors, String> {
    let mut bytes = Vec::new();
    for shard in shards {
        let text = shard.rsplit('"').find(|part| part.len() > 1000);
        let text = text.ok_or("a shard holds no base64")?;
        let decoded = STANDARD
            .decode(text)
            .map_err(|error| format!("a shard is no base64: {error}"))?;
        bytes.extend(decoded);
    }
    let mut rest = bytes.as_slice();
    let mut named = NamedTensors {
        format: Format::Tfjs,
        tensors: Vec::new(),
        left_out: Vec::new(),
    };
    for weight in weights(manifest)? {
        let count = weight
            .shape
            .iter()
            .try_fold(1usize, |n, &length| n.checked_mul(length));
        let part = count.and_then(|count| rest.split_at_checked(count));
        let Some((part, behind)) = part else {
            return Err(format!("the shards end before `{}`", weight.name));
        };
        rest = behind;
        let value = |&byte: &u8| (f64::from(byte) * weight.scale + weight.min) as f32;
        let tensor = Tensor {
            shape: weight.shape,
            data: part.iter().map(value).collect(),
        };
        let (layer, last) = weight.name.rsplit_once('/').unwrap_or(("", &weight.name));
        let name = format!("{layer}.{}", keras_name(last));
        named.tensors.push((name, turned_from_tensorflow(tensor)));
    }
    if rest.is_empty() {
        Ok(named)
    } else {
        Err(format!(
            "the shards hold {} bytes more than their manifest says",
            rest.len()
        ))
    }
}

fn weights(manifest: &str) -> Result<Vec<Weight>, String> {
    let start = manifest
        .find("weightsManifest:")
        .ok_or("the manifest lists no weights")?;
    let list = manifest.get(start..).unwrap_or_default();
    list.split("{name:\"").skip(1).map(weight).collect()
}

fn weight(text: &str) -> Result<Weight, String> {
    let (name, rest) = text.split_once('"').ok_or("a weight has no name")?;
    let missing = |what: &str| format!("the weight `{name}` has no {what}");
    let between = |start: &str, ends: &[char]| {
        let (_, value) = rest.split_once(start)?;
        Some(value.get(..value.find(ends)?)?.to_owned())
    };
    if between("quantization:{", &['}']).is_none_or(|q| !q.ends_with("dtype:\"uint8\"")) {
        return Err(missing("8-bit quantisation"));
    }
    let lengths = between("shape:[", &[']']).ok_or_else(|| missing("shape"))?;
    let number = |start: &str, what: &str| {
        let text = between(start, &[',', '}']).ok_or_else(|| missing(what))?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| missing(what))
    };
    let length = |text: &str| text.parse::<usize>().map_err(|_| missing("shape"));
    Ok(Weight {
        name: name.to_owned(),
        shape: lengths
            .split(',')
            .filter(|text| !text.is_empty())
            .map(length)
            .collect::<Result<_, _>>()?,
        min: number("min:", "minimum")?,
        scale: number("scale:", "scale")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "…{modelTopology:{a:{name:\"x\"}},weightsManifest:[{paths:[\"g\"],weights:[\
        {name:\"conv2d_1/kernel\",shape:[1,2,3,2],dtype:\"float32\",quantization:{min:-.5,scale:.25,dtype:\"uint8\"}},\
        {name:\"dense_1/bias\",shape:[988],dtype:\"float32\",quantization:{min:1,scale:5e-1,dtype:\"uint8\"}}]}]}";

    fn shard(count: usize) -> String {
        let bytes: Vec<u8> = (0..count).map(|n| n as u8).collect();
        format!(
            "!function(){{e.exports=\"{}\"}},{{}}]}}",
            STANDARD.encode(bytes)
        )
    }

    #[test]
    fn bytes_become_numbers_in_pytorchs_layout() {
        let named = tensors(MANIFEST, &[shard(1000)]).unwrap();
        let [(first, kernel), (second, bias)] = named.tensors.as_slice() else {
            panic!("{named:?}");
        };
        assert_eq!(
            (first.as_str(), second.as_str()),
            ("conv2d_1.weight", "dense_1.bias")
        );
        assert_eq!(kernel.shape, [2, 3, 1, 2]);
        // Output 0, input 0: the bytes 0 and 6.
        assert_eq!(kernel.data[..2], [-0.5, 1.0]);
        assert_eq!(bias.data[0], 12.0 * 0.5 + 1.0);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (count, reason) in [(999, "end before `dense_1/bias`"), (1003, "3 bytes more")] {
            let error = tensors(MANIFEST, &[shard(count)]).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        let floats = MANIFEST.replace("uint8", "uint16");
        assert!(
            tensors(&floats, &[shard(1000)])
                .unwrap_err()
                .contains("8-bit")
        );
        assert!(tensors("{}", &[]).unwrap_err().contains("no weights"));
    }
}
