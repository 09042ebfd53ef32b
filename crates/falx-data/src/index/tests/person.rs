//! Age and sex, and indices from before they were kept.

use std::sync::Arc;

use arrow_schema::Schema;

use super::super::file;
use super::{Place, run};
use crate::index::Index;
use crate::synthetic::Ct;
use crate::table::{self, Opened};

#[test]
fn age_and_sex_are_read_and_ages_over_89_are_one() {
    let place = Place::new();
    let data = place.path("data");
    let people = [
        ("F", "067Y"),
        ("M", "089Y"),
        ("O", "101Y"),
        ("female", "018M"),
        ("M", "old"),
    ];
    for (number, person) in people.into_iter().enumerate() {
        let mut ct = Ct::new("Doe^1", 1, number as u32);
        ct.person = Some(person);
        ct.write(data.join(format!("{number}.dcm")));
    }
    Ct::new("Doe^1", 1, 9).write(data.join("9.dcm"));
    let (_, index) = run(&place.options(&data)).unwrap();
    let found: Vec<_> = index
        .rows
        .iter()
        .map(|row| (row.sex.as_deref(), row.age_years))
        .collect();
    assert_eq!(
        found,
        [
            (Some("F"), Some(67.0)),
            (Some("M"), Some(89.0)),
            (Some("O"), Some(90.0)),
            (None, Some(1.5)),
            (Some("M"), None),
            (None, None),
        ]
    );
}

#[test]
fn an_index_without_these_columns_is_read() {
    let place = Place::new();
    let data = place.path("data");
    let mut ct = Ct::new("Doe^1", 1, 0);
    ct.person = Some(("F", "067Y"));
    ct.write(data.join("0.dcm"));
    let options = place.options(&data);
    let (_, now) = run(&options).unwrap();

    let (opened, batches) = Opened::open(&options.out, "index").unwrap();
    let fields = file::schema();
    let older: Vec<usize> = (0..fields.len() - 2).collect();
    let schema = Arc::new(Schema::new(fields[..older.len()].to_vec()));
    let metadata = ["falx.summary", "falx.data_hash"]
        .map(|key| (key, opened.metadata(key).unwrap().to_owned()));
    let batches = batches.map(|batch| batch.unwrap().project(&older));
    let path = place.path("older.parquet");
    table::write(&path, &schema, &metadata, batches).unwrap();

    let mut then = Index::read(&path).unwrap();
    assert_eq!(
        (then.rows[0].age_years, then.rows[0].sex.as_ref()),
        (None, None)
    );
    then.rows[0].age_years = Some(67.0);
    then.rows[0].sex = Some("F".into());
    assert_eq!(then, now);
}
