use super::RecordsWriter;

#[test]
fn records_come_back_one_by_one_and_all_at_once() {
    for len in [0, 1, 5461, 5462, 20_000_u32] {
        let mut writer = RecordsWriter::<12>::new().unwrap();
        let record = |at: u32| {
            let mut record = [7; 12];
            record[..4].copy_from_slice(&at.to_le_bytes());
            record
        };
        for at in 0..len {
            writer.push(record(at)).unwrap();
        }
        let records = writer.finish().unwrap();
        assert_eq!(records.len(), len as usize);
        let mut all = Vec::new();
        records.for_each(|record| all.push(record)).unwrap();
        assert!(all.into_iter().eq((0..len).map(record)));
        for at in (0..len).step_by(997) {
            assert_eq!(records.get(at as usize).unwrap(), Some(record(at)));
        }
        assert_eq!(records.get(len as usize).unwrap(), None);
    }
}
