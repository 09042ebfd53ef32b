//! Names that look like one that was not found.

/// Up to three of `names` that are nearest to `name`, nearest first.
pub fn similar<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|other| {
            let contains = other.contains(name) || (other.len() > 2 && name.contains(other));
            let steps = distance(name, other, name.chars().count() / 3 + 1);
            steps
                .or(contains.then_some(name.len()))
                .map(|steps| (steps, other))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Insertions, removals and replacements between two names, where there are at most `most` (Levenshtein).
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most || a.len() > 200 {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = replaced.min(before + 1).min(row[j] + 1);
        }
    }
    row.last().copied().filter(|&steps| steps <= most)
}
