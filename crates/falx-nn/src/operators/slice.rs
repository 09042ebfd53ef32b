//! A part of each sample.

use super::{Rules, axis, only};
use crate::onnx::Place;
use crate::onnx::message::{Node, TensorData};

/// ONNX `Slice` with positive steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first place along each axis; negative ones count from the end.
    pub starts: Vec<i64>,
    /// The place after the last; negative ones count from the end, those beyond are the end.
    pub ends: Vec<i64>,
    /// The axes; the batch is 0.
    pub axes: Vec<usize>,
    /// Steps between places.
    pub steps: Vec<usize>,
}

impl Slice {
    /// Start, end and step for each axis of `shape`.
    pub(crate) fn ranges(&self, shape: &[usize]) -> Result<Vec<[usize; 3]>, &'static str> {
        let mut ranges: Vec<[usize; 3]> = shape.iter().map(|&length| [0, length, 1]).collect();
        let count = self.axes.len();
        if [self.starts.len(), self.ends.len(), self.steps.len()] != [count; 3] {
            return Err("it needs a start, an end and a step for each axis");
        }
        for (at, &axis) in self.axes.iter().enumerate() {
            let place = axis::place(axis, shape)?;
            let length = shape[place] as i64;
            let inside = |bound: i64| {
                let from_start = if bound < 0 {
                    bound.saturating_add(length)
                } else {
                    bound
                };
                from_start.clamp(0, length) as usize
            };
            let (start, end) = (inside(self.starts[at]), inside(self.ends[at]));
            if self.steps[at] == 0 || start >= end {
                return Err("it must keep something, with steps of at least 1");
            }
            ranges[place] = [start, end, self.steps[at]];
        }
        Ok(ranges)
    }
}

impl Rules for Slice {
    fn name(&self) -> &'static str {
        "Slice"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let ranges = self.ranges(only(inputs)?)?;
        let length = |[start, end, step]: [usize; 3]| (end - start).div_ceil(step);
        Ok(ranges.into_iter().map(length).collect())
    }

    fn nodes(&self, place: &Place) -> Vec<Node> {
        let whole = |values: &[usize]| values.iter().map(|&x| x as i64).collect::<Vec<_>>();
        let lists = [
            ("starts", self.starts.clone()),
            ("ends", self.ends.clone()),
            ("axes", whole(&self.axes)),
            ("steps", whole(&self.steps)),
        ];
        let list =
            |(part, values): &(&str, Vec<i64>)| place.constant(part, TensorData::integers(values));
        let mut nodes: Vec<Node> = lists.iter().map(list).collect();
        let names = lists.map(|(part, _)| place.of(part));
        let mut inputs = vec![place.input()];
        inputs.extend(names.iter().map(String::as_str));
        nodes.push(place.last("Slice", &inputs, Vec::new()));
        nodes
    }
}
