# Writes proc.json: what R's pROC says of its own example data, aSAH (Robin X et al., BMC Bioinformatics 2011; 12:77).
#
#     Rscript make_proc.R            writes proc.json
#     Rscript make_proc.R --check    compares with it; exit code 1 where a number differs by more than 1e-9
#
# R is not part of the continuous checks: the few numbers are committed with the versions that made them.
suppressMessages(library(pROC))
data(aSAH)

quiet <- function(x) suppressMessages(x)
s100b <- quiet(roc(aSAH$outcome, aSAH$s100b, levels = c("Good", "Poor"), direction = "<"))
wfns <- quiet(roc(aSAH$outcome, as.numeric(aSAH$wfns), levels = c("Good", "Poor"), direction = "<"))
ndka <- quiet(roc(aSAH$outcome, aSAH$ndka, levels = c("Good", "Poor"), direction = "<"))

quiet_number <- function(x) suppressWarnings(as.numeric(x))
# pROC has no corrected partial area below the diagonal: null.
numbers <- function(x) paste0("[", paste(ifelse(is.na(x), "null", sprintf("%.17g", x)), collapse = ","), "]")
one <- function(name, score, r) {
  ci <- ci.auc(r, method = "delong")
  specific <- function(corrected) as.numeric(auc(r, partial.auc = c(1, 0.9), partial.auc.focus = "specificity", partial.auc.correct = corrected))
  sensitive <- function(corrected) quiet_number(auc(r, partial.auc = c(1, 0.9), partial.auc.focus = "sensitivity", partial.auc.correct = corrected))
  sprintf('"%s":{"score":%s,"auc":%.17g,"variance":%.17g,"interval":%s,"partial_specificity":%s,"partial_sensitivity":%s}',
          name, numbers(score), as.numeric(auc(r)), var(r, method = "delong"), numbers(c(ci[1], ci[3])),
          numbers(c(specific(FALSE), specific(TRUE))), numbers(c(sensitive(FALSE), sensitive(TRUE))))
}
# Sensitivity at given specificities, and ci.se's bootstrap of whole patients; so many draws that little of it is chance.
at <- c(0.99, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1)
band <- function(name, r) {
  value <- quiet(coords(r, x = at, input = "specificity", ret = "sensitivity", transpose = FALSE))$sensitivity
  set.seed(10)
  ci <- suppressWarnings(ci.se(r, specificities = at, boot.n = 20000, boot.stratified = FALSE, progress = "none"))
  sprintf('"%s_band":{"specificity":%s,"sensitivity":%s,"low":%s,"high":%s}', name, numbers(at), numbers(value), numbers(ci[, 1]), numbers(ci[, 3]))
}
pair <- function(name, a, b) {
  t <- roc.test(a, b, method = "delong", paired = TRUE)
  sprintf('"%s":{"z":%.17g,"p":%.17g,"covariance":%.17g}', name, as.numeric(t$statistic), t$p.value, cov(a, b, method = "delong"))
}
text <- paste0(
  '{"made_with":{"R":"', R.version$major, ".", R.version$minor, '","pROC":"', as.character(packageVersion("pROC")), '"},',
  '"truth":', numbers(as.integer(aSAH$outcome == "Poor")), ",",
  one("s100b", aSAH$s100b, s100b), ",", one("wfns", as.numeric(aSAH$wfns), wfns), ",", one("ndka", aSAH$ndka, ndka), ",",
  pair("s100b_wfns", s100b, wfns), ",", pair("s100b_ndka", s100b, ndka), ",",
  band("s100b", s100b), ",", band("wfns", wfns), ",", band("ndka", ndka), "}\n")

if ("--check" %in% commandArgs(TRUE)) {
  all_numbers <- function(t) as.numeric(regmatches(t, gregexpr("-?[0-9]+\\.?[0-9]*(e[-+]?[0-9]+)?", t))[[1]])
  after <- function(t) all_numbers(sub(".*\"truth\"", "", t))
  have <- after(paste(readLines("proc.json"), collapse = ""))
  want <- after(text)
  if (length(have) != length(want) || any(abs(have - want) > 1e-9 * pmax(1, abs(want)))) {
    message("proc.json differs from what pROC computes now")
    quit(status = 1)
  }
  message("proc: agrees")
} else {
  cat(text, file = "proc.json")
}
