use super::*;

#[test]
fn distances_are_exact_on_simple_shapes() {
    assert!((ellipsoid([5.0, 0.0, 0.0], [0.0; 3], [3.0; 3]) - 2.0).abs() < 1e-5);
    assert!((ellipsoid([0.0; 3], [0.0; 3], [3.0, 4.0, 5.0]) + 3.0).abs() < 1e-5);
    assert!((rod([0.0, 4.0, 5.0], [0.0; 3], [0.0, 0.0, 10.0], 1.0, 3.0) - 2.0).abs() < 1e-5);
    assert_eq!(smooth_min(1.0, 9.0, 2.0), 1.0);
    assert!(smooth_min(1.0, 1.0, 2.0) < 1.0);
    assert!(smooth_max(1.0, 1.0, 2.0) > 1.0);
}

#[test]
fn cover_of_a_thin_sheet_is_its_share_of_the_voxel() {
    assert!((cover_sheet(0.0, 0.1, 1.0) - 0.2).abs() < 1e-6);
    assert_eq!(cover_sheet(0.0, 3.0, 1.0), 1.0);
    assert_eq!(cover_sheet(2.0, 0.1, 1.0), 0.0);
    assert_eq!(cover_sheet(0.0, 0.0, 1.0), 0.0);
    assert_eq!(
        (cover(-1.0, 1.0), cover(0.0, 1.0), cover(1.0, 1.0)),
        (1.0, 0.5, 0.0)
    );
    assert_eq!(smooth_step(5.0, 1.0, 0.0), 1.0);
}
