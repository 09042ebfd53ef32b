//! `falx models`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use falx_infer::{Joining, Packing, average, bundle_text, import_bundle, pack};
use falx_models::{
    BackboneOptions, FetchOptions, Form, ImportOptions, export, fetch, import_backbone,
    import_weights, list, show, svg,
};
use falx_nn::Parameters;
use falx_nn::weights::{self, MapRules, Pairing};
use falx_nn::zoo::{self, NetworkConfig};
use falx_train::{JudgementOptions, RunFolder, judgement};

use super::{Context, model};
use crate::cli::{
    Models, ModelsAverage, ModelsExport, ModelsFetch, ModelsImport, ModelsPack, ModelsShow,
    NetworkOptions,
};
use crate::output::Outcome;

pub fn run(arguments: &Models, context: &Context) -> anyhow::Result<Outcome> {
    match arguments {
        Models::List => {
            let zoo = list()?;
            Outcome::done(zoo.to_text(), &zoo)
        }
        Models::Show(arguments) => run_show(arguments),
        Models::Export(arguments) => run_export(arguments),
        Models::Average(arguments) => run_average(arguments),
        Models::Pack(arguments) => run_pack(arguments),
        Models::Import(arguments) => run_import(arguments),
        Models::FetchPretrained(arguments) => run_fetch(arguments, context),
    }
}

/// What most published networks take.
const DEFAULT_SIZE: usize = 224;

fn config(name: &str, form: &NetworkOptions) -> NetworkConfig {
    NetworkConfig {
        name: name.to_owned(),
        size: form
            .size
            .map_or_else(|| falx_models::published_size(name), usize::from),
        channels: form.channels.into(),
        outputs: form.outputs.into(),
        width: form.width.into(),
        ..NetworkConfig::default()
    }
}

fn run_show(arguments: &ModelsShow) -> anyhow::Result<Outcome> {
    let path = Path::new(&arguments.name);
    if model::is_bundle(path) {
        let bundle = model::open(path)?;
        return Outcome::done(bundle_text(bundle.manifest()), bundle.manifest());
    }
    if path.is_file() && !zoo::names().contains(&arguments.name.as_str()) {
        let listed = falx_models::tensors(path)?;
        return Outcome::done(listed.to_text(), &listed);
    }
    let graph = falx_models::network(&config(&arguments.name, &arguments.network))?;
    let shown = show(&graph);
    let mut text = shown.to_text();
    if let Some(path) = &arguments.svg {
        falx_models::write(path, svg(&graph).as_bytes())?;
        let _ = write!(text, "\ndrawn: {}", path.display());
    }
    Outcome::done(text, &shown)
}

fn run_export(arguments: &ModelsExport) -> anyhow::Result<Outcome> {
    let form = Form::of(&arguments.out)?;
    let path = Path::new(&arguments.name);
    if model::is_bundle(path) {
        return export_trained(path, form, &arguments.out);
    }
    let graph = falx_models::network(&config(&arguments.name, &arguments.network))?;
    let start = Parameters::initialise(&graph, arguments.seed);
    let parameters = match &arguments.weights {
        Some(file) => {
            let rules = MapRules {
                strict: true,
                ..MapRules::default()
            };
            weights::map(&weights::read(file)?, &graph, &rules)?.apply(start)
        }
        None => start,
    };
    let graph = match form {
        Form::Onnx => graph.with_probabilities()?,
        Form::Safetensors => graph,
    };
    let written = export(&graph, &parameters, &arguments.out)?;
    let origin = if arguments.weights.is_some() {
        "given"
    } else {
        "as training would start"
    };
    let text = format!(
        "{}: {} with weights {origin}",
        written.path.display(),
        graph.name()
    );
    Outcome::done(text, &written)
}

/// A run's best weights, or a bundle's network as it is.
fn export_trained(path: &Path, form: Form, out: &Path) -> anyhow::Result<Outcome> {
    let run = RunFolder::new(path);
    if form == Form::Safetensors {
        anyhow::ensure!(
            run.lock().is_file(),
            "{}: a bundle holds its weights inside model.onnx; give --out NAME.onnx, or its run's folder",
            path.display()
        );
        let weights = run.best_weights();
        let written = falx_models::copy(&weights, out)?;
        let text = format!("{}: from {}", written.path.display(), weights.display());
        return Outcome::done(text, &written);
    }
    let bundle = model::open(path)?;
    let networks = bundle.networks();
    let [network] = networks.as_slice() else {
        anyhow::bail!(
            "{}: an ensemble of {} networks is no single one; in a bundle that is a folder each is an ONNX file of its own",
            path.display(),
            networks.len()
        );
    };
    let written = falx_models::put(&bundle.read(&network.model)?, out)?;
    let from = bundle.place(&network.model);
    let mut text = format!("{}: from {}", written.path.display(), from.display());
    if let Some((file, _)) = &network.sequence {
        let _ = write!(
            text,
            "\nnote: slices alone; the network over their series is {}",
            bundle.place(file).display()
        );
    }
    Outcome::done(text, &written)
}

fn run_pack(arguments: &ModelsPack) -> anyhow::Result<Outcome> {
    let bundle = model::open(&arguments.model)?;
    let own = bundle.manifest();
    let mut networks = bundle.networks().into_iter();
    let is_calibrated =
        arguments.calibrate || networks.any(|network| !network.calibration.is_empty());
    // What judges it is changed as the bundle changes what its networks give.
    let options = JudgementOptions {
        prevalence: arguments.prevalence,
        smooth_mm: arguments.smooth_mm.or(own.smooth_mm),
        packed: own,
        calibrate: is_calibrated,
    };
    let judged = match &arguments.judged_by {
        Some(by) => Some(judgement(by, &options)?),
        None => None,
    };
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .with_context(|| format!("{}: no card; give a Markdown file", path.display()))
    };
    let packing = Packing {
        precision: arguments.precision,
        prevalence: arguments.prevalence,
        smooth_mm: arguments.smooth_mm,
        judged: judged.as_ref().map(|judged| judged.judgement.clone()),
        licence: arguments.licence.clone(),
        card: arguments.card.as_ref().map(read).transpose()?,
    };
    let packed = pack(&bundle, &arguments.out, &packing)?;
    if let (Some(path), Some(judged)) = (&arguments.judged_on, &judged) {
        falx_eval::predictions::write_csv(&judged.predictions, path)?;
    }
    let manifest = packed.manifest();
    let mut text = format!("{}\n", arguments.out.display());
    if own.decisions.is_some() && manifest.decisions.is_none() {
        text.push_str(
            "note: the rules of presence were found on other probabilities and are left out; give --judged-by to find them anew\n",
        );
    }
    text.push_str(&bundle_text(manifest));
    Outcome::done(text, manifest)
}

fn run_average(arguments: &ModelsAverage) -> anyhow::Result<Outcome> {
    let open = |path: &std::path::PathBuf| {
        // The folders above a name are nobody's business.
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Joining {
            origin: name.to_string_lossy().into_owned(),
            bundle: model::open(path)?,
        })
    };
    let joining: anyhow::Result<Vec<Joining>> = arguments.models.iter().map(open).collect();
    let made = average(&arguments.out, &joining?, None)?;
    let text = format!(
        "{}\n{}",
        arguments.out.display(),
        bundle_text(made.manifest())
    );
    Outcome::done(text, made.manifest())
}

fn run_import(arguments: &ModelsImport) -> anyhow::Result<Outcome> {
    if let Some(card) = &arguments.card {
        let (bundle, notes) = import_bundle(&arguments.file, card, &arguments.out)?;
        let mut text = format!("{}\n", arguments.out.display());
        for note in notes {
            let _ = writeln!(text, "note: {note}");
        }
        text.push_str(&bundle_text(bundle.manifest()));
        return Outcome::done(text, bundle.manifest());
    }
    let Some(network) = &arguments.network else {
        return run_import_backbone(arguments);
    };
    let imported = import_weights(&ImportOptions {
        file: arguments.file.clone(),
        network: config(network, &arguments.form),
        rules: MapRules {
            strict: arguments.strict,
            leave: arguments.leave.clone(),
            rename: arguments.rename.clone(),
            pairing: if arguments.by_order {
                Pairing::Order
            } else {
                Pairing::Auto
            },
        },
        seed: arguments.seed,
        out: arguments.out.clone(),
    })?;
    let fine = imported.mapping.is_whole();
    Ok(Outcome::done(imported.to_text(), &imported)?.fine_if(fine))
}

/// An ONNX file is a network itself.
fn run_import_backbone(arguments: &ModelsImport) -> anyhow::Result<Outcome> {
    let file = &arguments.file;
    anyhow::ensure!(
        file.extension().is_some_and(|ending| ending == "onnx"),
        "{}: weights alone are no network; name the one that gets them with --network, or give an ONNX file",
        file.display()
    );
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let form = &arguments.form;
    let imported = import_backbone(&BackboneOptions {
        file: file.clone(),
        cut: arguments.cut.clone(),
        network: NetworkConfig {
            name: name.into_owned(),
            size: form.size.map_or(DEFAULT_SIZE, usize::from),
            channels: form.channels.into(),
            outputs: form.outputs.into(),
            ..NetworkConfig::default()
        },
        seed: arguments.seed,
        out: arguments.out.clone(),
    })?;
    Outcome::done(imported.to_text(), &imported)
}

fn run_fetch(arguments: &ModelsFetch, context: &Context) -> anyhow::Result<Outcome> {
    let options = FetchOptions {
        name: arguments.name.clone(),
        from: arguments.from.clone(),
        url: arguments.url.clone(),
        out: arguments.out.clone(),
    };
    let fetched = fetch(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(fetched.to_text(), &fetched)
}
