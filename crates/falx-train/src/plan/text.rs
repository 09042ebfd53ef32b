//! The plan as text.

use std::fmt::Write as _;

use falx_eval::text::{count, duration, thousands};

use super::{Figure, Forecast, Limit, Origin, TrainingPlan};

/// The tables that the command line prints.
pub(super) fn plan(plan: &TrainingPlan) -> String {
    let m = &plan.measured;
    let mut out = format!(
        "{} on {}, {}: {} of {} measured for each speed\n",
        plan.network,
        plan.engine,
        count(plan.threads as u64, "thread"),
        count(m.steps as u64, "step"),
        count(m.batch as u64, "slice"),
    );
    speeds(&mut out, plan);
    out.push('\n');
    forecasts(&mut out, plan);
    out.push_str(
        "\nTimes are extrapolated from the speeds; memory and disk from what was measured here. ",
    );
    out.push_str("Files may have come from the system's memory: a disk that was not read before is slower.\n");
    if plan.engine != falx_nn::EngineKind::default().to_string() {
        out.push_str("A card's own memory is not in the table.\n");
    }
    for words in &plan.remedies {
        let _ = writeln!(out, "- {words}");
    }
    out
}

fn speeds(out: &mut String, plan: &TrainingPlan) {
    let mut line = |what: &str, figure: Figure, remark: &str| {
        let _ = writeln!(
            out,
            "{what:<40}{:>10.1}  {}{remark}",
            figure.value,
            origin(figure.origin)
        );
    };
    let speeds = &plan.speeds;
    line("slices/s: loading alone", speeds.loader, "");
    if let Some(disk) = speeds.disk {
        line("slices/s: the disk", disk, "");
    }
    let of_phase = |first: u64| {
        if speeds.stages.len() > 1 {
            format!(", epochs from {first}")
        } else {
            String::new()
        }
    };
    for (stage, here) in speeds.stages.iter().zip(&plan.measured.stages) {
        let phase = of_phase(stage.first_epoch);
        line(&format!("slices/s: steps alone{phase}"), stage.step, "");
        let waiting = if stage.training.origin == Origin::Measured {
            format!(
                ", {:.1} % of it waiting for slices",
                100.0 * here.waiting_share
            )
        } else {
            String::new()
        };
        line(
            &format!("slices/s: training{phase}"),
            stage.training,
            &waiting,
        );
    }
    line("slices/s: validation", speeds.validation, "");
    let limit = match plan.limit {
        Limit::Loading => "loading: the network waits for slices",
        Limit::Disk => "the disk: the loader waits for it",
        Limit::Computing => "computing: slices wait for the network",
    };
    let _ = writeln!(out, "What limits: {limit}.");
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Given => "given",
        Origin::Extrapolated => "extrapolated",
    }
}

fn forecasts(out: &mut String, plan: &TrainingPlan) {
    let head = plan.forecasts.iter().map(|forecast| {
        if forecast.is_counted {
            "these data".to_owned()
        } else {
            count(forecast.size.all(), "slice")
        }
    });
    let mut row = |name: &str, cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>18}")).collect();
        let _ = writeln!(out, "{name:<32}{}", cells.join("  "));
    };
    row("", head.collect());
    let each = |give: &dyn Fn(&Forecast) -> String| plan.forecasts.iter().map(give).collect();
    row("slices learnt from", each(&|f| thousands(f.size.training)));
    row("slices shown an epoch", each(&|f| thousands(f.size.shown)));
    row(
        "slices validated on, locked",
        each(&|f| {
            format!(
                "{}, {}",
                thousands(f.size.validation),
                thousands(f.size.test)
            )
        }),
    );
    row(
        "epochs × steps",
        each(&|f| format!("{} × {}", thousands(f.epochs), thousands(f.steps_per_epoch))),
    );
    let stages = plan.speeds.stages.len();
    for at in 0..stages {
        let name = plan
            .speeds
            .stages
            .get(at)
            .filter(|_| stages > 1)
            .map_or_else(
                || "time of an epoch".to_owned(),
                |stage| format!("time of an epoch from {} on", stage.first_epoch),
            );
        row(
            &name,
            each(&|f| {
                let stage = f.stages.get(at);
                stage.map_or_else(String::new, |stage| duration(stage.epoch_seconds.value))
            }),
        );
    }
    row(
        "  of it validation",
        each(&|f| duration(f.validation_seconds.value)),
    );
    row(
        "time of the whole run",
        each(&|f| duration(f.whole_seconds.value)),
    );
    let mib = |figure: Option<Figure>| {
        figure.map_or_else(|| "not known".to_owned(), |f| format!("{:.0} MiB", f.value))
    };
    row("memory, most", each(&|f| mib(f.memory.peak)));
    row(
        "  in it: the network's state",
        each(&|f| mib(Some(f.memory.network))),
    );
    row(
        "  limit of the loader",
        each(&|f| format!("{:.0} MiB", f.memory.loader_limit)),
    );
    row(
        "  limit of kept pictures",
        each(&|f| format!("{:.0} MiB", f.memory.kept_limit)),
    );
    let bytes =
        |figure: Option<Figure>| figure.map_or_else(|| "not known".to_owned(), |f| bytes(f.value));
    row(
        "disk: checkpoints and bundle",
        each(&|f| bytes(Some(f.checkpoint_bytes))),
    );
    row("disk: cache", each(&|f| bytes(f.cache_bytes)));
    row("disk: files of all slices", each(&|f| bytes(f.file_bytes)));
    row("read in an epoch", each(&|f| bytes(f.epoch_read_bytes)));
}

/// Bytes with three digits.
fn bytes(bytes: f64) -> String {
    let (mut value, mut unit) = (bytes, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1e3, next);
    }
    let digits = match value {
        _ if unit == "B" => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}
