//! The head is a head, and what bleeds is where and as dense as it must be.

use falx_core::Hu;
use falx_phantom::{Head, RenderedSlice, head};

const MATRIX: u16 = 128;

/// Mean HU of a slice's pixels that `choose` takes.
fn mean(slice: &RenderedSlice, choose: impl Fn(usize) -> bool) -> Option<f32> {
    let chosen: Vec<f32> = (0..slice.hu.len())
        .filter(|&i| choose(i))
        .map(|i| slice.hu[i].0)
        .collect();
    (chosen.len() > 20).then(|| chosen.iter().sum::<f32>() / chosen.len() as f32)
}

/// Area of a slice's pixels within `low ..= high`, in mm².
fn area(head: &Head, slice: &RenderedSlice, low: f32, high: f32) -> f32 {
    let pixel = head.pixel_mm(MATRIX);
    let n = slice
        .hu
        .iter()
        .filter(|hu| (low..=high).contains(&hu.0))
        .count();
    n as f32 * pixel * pixel
}

#[test]
fn a_middle_slice_holds_a_skull_of_bone_round_a_litre_of_brain() {
    for patient in 0..6 {
        let head = head(3, patient, 0.0);
        let slice = head.render(head.slices() * 6 / 10, MATRIX);
        let brain = area(&head, &slice, 10.0, 60.0);
        let bone = area(&head, &slice, 350.0, 3000.0);
        assert!(
            (8_000.0..20_000.0).contains(&brain),
            "patient {patient}: {brain} mm² of brain"
        );
        assert!(
            (1_500.0..7_500.0).contains(&bone),
            "patient {patient}: {bone} mm² of bone"
        );
        let corner = slice.hu[usize::from(MATRIX) * 3 + 3];
        assert!(
            corner.0 < -950.0,
            "patient {patient}: {corner:?} in a corner"
        );
        let middle = usize::from(MATRIX) * usize::from(MATRIX) / 2 + usize::from(MATRIX) / 2;
        assert!((-20.0..90.0).contains(&slice.hu[middle].0));
        assert_eq!(slice.labels(), [false; 6]);
    }
}

#[test]
fn sinuses_hold_air_inside_the_head() {
    let head = head(3, 1, 0.0);
    let side = usize::from(MATRIX);
    let low = head.render(2, MATRIX);
    let tissue = |x: usize, y: usize| low.hu[y * side + x].0 > -200.0;
    let enclosed = (0..side * side)
        .filter(|&i| low.hu[i].0 < -500.0)
        .map(|i| (i % side, i / side))
        .filter(|&(x, y)| (0..x).any(|u| tissue(u, y)) && (x..side).any(|u| tissue(u, y)))
        .filter(|&(x, y)| (0..y).any(|v| tissue(x, v)) && (y..side).any(|v| tissue(x, v)))
        .count();
    assert!(
        enclosed > 40,
        "{enclosed} pixels of air enclosed in a low slice"
    );
}

#[test]
fn fresh_clots_are_denser_than_the_brain_and_lie_within_the_skull() {
    let mut dense = 0;
    let mut clots = 0;
    for patient in 0..24 {
        let head = head(5, patient, 0.4);
        for k in (0..head.slices()).step_by(3) {
            let slice = head.render(k, MATRIX);
            if !slice.labels()[1] {
                continue;
            }
            let inside = mean(&slice, |i| slice.mask[i] & 2 != 0);
            let brain = mean(&slice, |i| {
                slice.mask[i] == 0 && (15.0..50.0).contains(&slice.hu[i].0)
            });
            let (Some(inside), Some(brain)) = (inside, brain) else {
                continue;
            };
            clots += 1;
            dense += u32::from(inside > brain + 8.0);
            assert!((20.0..110.0).contains(&inside), "a clot of {inside} HU");
        }
    }
    assert!(clots > 10, "{clots} slices with a clot");
    assert!(
        dense * 10 >= clots * 8,
        "{dense} of {clots} are denser than the brain"
    );
}

#[test]
fn nobody_bleeds_at_prevalence_zero_and_about_a_seventh_of_slices_by_default() {
    assert!((0..40).all(|patient| !head(9, patient, 0.0).bleeds()));
    let (mut slices, mut positive, mut kinds) = (0_usize, 0_usize, [0_usize; 5]);
    for patient in 0..120 {
        let head = head(9, patient, 0.14);
        slices += head.slices();
        assert!(
            (24..=60).contains(&head.slices()),
            "{} slices",
            head.slices()
        );
        if !head.bleeds() {
            continue;
        }
        for k in 0..head.slices() {
            let labels = head.render(k, 64).labels();
            positive += usize::from(labels[5]);
            for (count, label) in kinds.iter_mut().zip(labels) {
                *count += usize::from(label);
            }
        }
    }
    let share = positive as f64 / slices as f64;
    assert!(
        (0.11..0.175).contains(&share),
        "{share:.3} of the slices are positive"
    );
    assert!(
        kinds[1..].iter().all(|&n| n > slices / 100),
        "{kinds:?} of {slices}"
    );
}

#[test]
fn padding_lies_outside_the_reconstruction_circle_alone() {
    let marked = (0..20)
        .map(|p| head(1, p, 0.0))
        .find(|h| h.scanner() == 'A');
    let slice = marked.expect("one of twenty has scanner A").render(10, 64);
    for (i, hu) in slice.hu.iter().enumerate() {
        let (x, y) = ((i % 64) as f32 - 31.5, (i / 64) as f32 - 31.5);
        assert_eq!(*hu == Hu::PADDING, x.hypot(y) > 32.0);
    }
}
