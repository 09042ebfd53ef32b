//! Heat maps of pictures by any of the methods, of one network or of an ensemble.

use std::path::PathBuf;

use falx_core::Label;
use falx_data::input::InputSpec;
use falx_infer::runtime::{self, Runtime, RuntimeKind};
use falx_infer::{Bundle, RuntimeError};
use falx_nn::{Tensor, Value};

use crate::heat_map::smooth;
use crate::methods::{
    ClassActivation, Patch, attribution, grad_cam, grad_cam_plus_plus, layer_cam, occlusion, xrai,
};
use crate::network::Layer;
use crate::{ExplainError, HeatMap, Method, Network};

/// Attributions of single pixels are smoothed by a Gaussian whose standard deviation is this share of the picture's side.
const SMOOTHING: f64 = 1.0 / 60.0;

/// How maps are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapOptions {
    /// The method.
    pub method: Method,
    /// Which layer it looks at, where it looks at one.
    pub layer: Layer,
    /// What runs the network in methods without a gradient.
    pub runtime: RuntimeKind,
    /// How many threads that run-time computes with.
    pub threads: usize,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            method: Method::default(),
            layer: Layer::default(),
            runtime: RuntimeKind::default(),
            threads: 1,
        }
    }
}

/// What a method holds of one network.
enum Means {
    /// The map within the network that is looked at.
    Layer(Value),
    /// The network cut before its pooling.
    Cut(ClassActivation),
    /// The network as a run-time executes it.
    Whole(Box<dyn Runtime>),
    /// The gradients of the picture.
    Picture,
}

struct Member {
    network: Network,
    means: Means,
}

/// Makes heat maps with the networks of a bundle.
pub struct Explainer {
    members: Vec<Member>,
    method: Method,
    /// The name of the layer that is looked at, where one is.
    layer: Option<String>,
    /// The numbers of a pixel that shows nothing, and of one that shows most.
    range: [f32; 2],
}

impl Explainer {
    /// Loads the networks of slices of a bundle: all members of an ensemble. A network over series behind them is not looked
    /// at.
    ///
    /// # Errors
    /// [`ExplainError`] when a network cannot be read, or the method cannot be used on it.
    pub fn load(bundle: &Bundle, options: &MapOptions) -> Result<Self, ExplainError> {
        let networks = bundle.networks();
        let networks: Result<Vec<Network>, ExplainError> = networks
            .iter()
            .map(|network| {
                let file = &network.model;
                Network::read(bundle.read(file)?, &bundle.place(file))
            })
            .collect();
        Self::new(networks?, &bundle.manifest().input, options)
    }

    /// The same with networks in memory, whose pictures are as `input` says.
    ///
    /// # Errors
    /// As [`Explainer::load`].
    pub fn new(
        networks: Vec<Network>,
        input: &InputSpec,
        options: &MapOptions,
    ) -> Result<Self, ExplainError> {
        let mut members = Vec::with_capacity(networks.len());
        let mut layer = None;
        for network in networks {
            let means = match options.method {
                Method::GradCam | Method::GradCamPlusPlus | Method::LayerCam => {
                    let (value, name) = network.layer(&options.layer)?;
                    layer = Some(name);
                    Means::Layer(value)
                }
                Method::Cam => Means::Cut(ClassActivation::new(
                    &network,
                    options.runtime,
                    options.threads,
                )?),
                Method::IntegratedGradients | Method::Xrai => Means::Picture,
                Method::Occlusion => Means::Whole(whole(&network, options)?),
            };
            members.push(Member { network, means });
        }
        Ok(Self {
            members,
            method: options.method,
            layer,
            range: input.range,
        })
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The name of the layer that is looked at, where the method looks at one.
    pub fn layer(&self) -> Option<&str> {
        self.layer.as_deref()
    }

    /// The networks.
    pub fn networks(&self) -> impl Iterator<Item = &Network> {
        self.members.iter().map(|member| &member.network)
    }

    /// The heat maps of each image's labels; of an ensemble the mean of its members' maps, each of which counts alike.
    ///
    /// # Shape
    /// `images` is N × C × H × W; the result has a list an image with a map a label, in `labels`' order.
    ///
    /// # Errors
    /// [`ExplainError`] when images do not fit the networks.
    pub fn maps(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
        labels: &[Vec<Label>],
    ) -> Result<Vec<Vec<HeatMap>>, ExplainError> {
        let mut all: Vec<Vec<Vec<HeatMap>>> = Vec::new();
        for member in &mut self.members {
            let Member { network, means } = member;
            all.push(match means {
                Means::Layer(value) => {
                    let method = match self.method {
                        Method::GradCamPlusPlus => grad_cam_plus_plus,
                        Method::LayerCam => layer_cam,
                        _ => grad_cam,
                    };
                    of_layer(network, *value, method, images, shape, labels)?
                }
                Means::Cut(cut) => of_cut(network, cut, images, shape, labels)?,
                Means::Picture => {
                    let draw = match self.method {
                        Method::Xrai => xrai,
                        _ => smoothed,
                    };
                    of_picture(network, self.range, draw, images, shape, labels)?
                }
                Means::Whole(runtime) => {
                    of_covered(network, runtime.as_mut(), images, shape, labels)?
                }
            });
        }
        let mut members = all.into_iter();
        let Some(mut mean) = members.next() else {
            return Ok(Vec::new());
        };
        let others: Vec<Vec<Vec<HeatMap>>> = members.collect();
        for (image, maps) in mean.iter_mut().enumerate() {
            for (label, map) in maps.iter_mut().enumerate() {
                let of_others = others.iter().filter_map(|o| o.get(image)?.get(label));
                let together: Vec<HeatMap> =
                    std::iter::once(&*map).chain(of_others).cloned().collect();
                if let Some(joined) = HeatMap::mean(&together) {
                    *map = joined;
                }
            }
        }
        Ok(mean)
    }

    /// The same method on networks that have the parameters of their last nodes with weights drawn anew: of `share` of them,
    /// of one at least.
    ///
    /// # Errors
    /// As [`Explainer::load`].
    pub fn randomised(
        &self,
        share: f64,
        seed: u64,
        input: &InputSpec,
        options: &MapOptions,
    ) -> Result<Self, ExplainError> {
        let networks = self.networks().zip(seed..).map(|(network, seed)| {
            let nodes = network.weighted_nodes().len();
            network.randomised(((share * nodes as f64).ceil() as usize).max(1), seed)
        });
        Self::new(networks.collect(), input, options)
    }
}

/// The network in a run-time of its own.
fn whole(network: &Network, options: &MapOptions) -> Result<Box<dyn Runtime>, ExplainError> {
    let path = || network.path().to_owned();
    let bytes = falx_nn::onnx::to_bytes(network.graph(), network.parameters());
    let bytes = bytes.map_err(|source| ExplainError::Cut {
        path: path(),
        source,
    })?;
    let runtime = runtime::load(options.runtime, bytes, options.threads);
    runtime.map_err(|source| ExplainError::Runtime {
        path: path(),
        source,
    })
}

type Maps = Vec<Vec<HeatMap>>;

fn of_layer(
    network: &Network,
    at: Value,
    method: fn(&Tensor, &Tensor) -> Vec<Vec<f32>>,
    images: &[f32],
    shape: [usize; 4],
    labels: &[Vec<Label>],
) -> Result<Maps, ExplainError> {
    let found = network.gradients(images, shape, at, labels)?;
    let [rows, cols] = plane(&found.value);
    let mut maps: Maps = vec![Vec::new(); shape[0]];
    for (pass, gradient) in found.gradients.iter().enumerate() {
        let of_pass = method(&found.value, gradient);
        for ((maps, labels), map) in maps.iter_mut().zip(labels).zip(of_pass) {
            if pass < labels.len() {
                maps.push(HeatMap::of_grid(&map, rows, cols, shape[3]));
            }
        }
    }
    Ok(maps)
}

fn of_cut(
    network: &Network,
    cut: &mut ClassActivation,
    images: &[f32],
    shape: [usize; 4],
    labels: &[Vec<Label>],
) -> Result<Maps, ExplainError> {
    let features = cut.features(images, shape);
    let features = features.map_err(|source| runtime_error(network, source))?;
    let [rows, cols] = plane(&features);
    let each = features.data.len() / shape[0].max(1);
    let of_images = features.data.chunks_exact(each.max(1)).zip(labels);
    let maps = of_images.map(|(features, labels)| {
        let map = |label: &Label| cut.map(features, *label);
        let maps = labels.iter().map(map);
        maps.map(|map| HeatMap::of_grid(&map, rows, cols, shape[3]))
            .collect()
    });
    Ok(maps.collect())
}

/// What makes a map of what each pixel adds: of that, the picture, its shape and range.
type Draw = fn(&[f32], &[f32], [usize; 3], [f32; 2]) -> Vec<f32>;

/// What each pixel adds, smoothed before what speaks against the label is left out: noise of both signs cancels.
fn smoothed(adds: &[f32], _: &[f32], [_, rows, cols]: [usize; 3], _: [f32; 2]) -> Vec<f32> {
    smooth(adds, [rows, cols], SMOOTHING * cols as f64)
}

fn of_picture(
    network: &Network,
    range: [f32; 2],
    draw: Draw,
    images: &[f32],
    [_, channels, rows, cols]: [usize; 4],
    labels: &[Vec<Label>],
) -> Result<Maps, ExplainError> {
    let each = channels * rows * cols;
    let mut maps = Vec::with_capacity(labels.len());
    for (image, labels) in images.chunks_exact(each.max(1)).zip(labels) {
        let shape = [channels, rows, cols];
        let found = attribution(network, image, shape, labels, range)?;
        let map =
            |adds: Vec<f32>| HeatMap::of_grid(&draw(&adds, image, shape, range), rows, cols, cols);
        maps.push(found.into_iter().map(map).collect());
    }
    Ok(maps)
}

fn of_covered(
    network: &Network,
    runtime: &mut dyn Runtime,
    images: &[f32],
    [_, channels, rows, cols]: [usize; 4],
    labels: &[Vec<Label>],
) -> Result<Maps, ExplainError> {
    let each = channels * rows * cols;
    let mut maps = Vec::with_capacity(labels.len());
    for (image, labels) in images.chunks_exact(each.max(1)).zip(labels) {
        let logits = |pictures: &[f32], shape: [usize; 4]| {
            let outputs = runtime.run(pictures, shape)?;
            let first = outputs.into_iter().next();
            Ok(first.map(|(_, tensor)| tensor).unwrap_or_default())
        };
        let falls = occlusion(image, [channels, rows, cols], Patch::of(cols), logits);
        let falls = falls.map_err(|source: RuntimeError| runtime_error(network, source))?;
        let of_label = labels.iter().filter_map(|label| falls.get(label.index()));
        maps.push(
            of_label
                .map(|fall| HeatMap::of_grid(fall, rows, cols, cols))
                .collect(),
        );
    }
    Ok(maps)
}

fn plane(tensor: &Tensor) -> [usize; 2] {
    match tensor.shape.as_slice() {
        &[_, _, rows, cols] => [rows, cols],
        _ => [0, 0],
    }
}

fn runtime_error(network: &Network, source: RuntimeError) -> ExplainError {
    let path: PathBuf = network.path().to_owned();
    ExplainError::Runtime { path, source }
}
