"""Which names are those of measurements, which way they get better, and which are never measurements."""

from __future__ import annotations

import itertools
import re
from enum import Enum
from functools import lru_cache

from console.runs.reading import Phase
from console.text import Clean, clean


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


_DOWN = words(
    """
    loss losses logloss multilogloss nll bce mse rmse mae mape smape msle rmsle wmape err error errors merror ppl perplexity
    bpc bpb bpd wer cer ter fid kid kl kld divergence inertia cost entropy crossentropy deviance residual hinge huber quantile
    lpips chamfer epe brier eer frr logcosh poisson tweedie regret lossmean aeloss eloss
    """
)
_UP = words(
    """
    acc accuracy bacc top1 top3 top5 top10 auc auroc auprc aucpr prauc roc f1 f2 fscore fbeta fmeasure map ap precision recall
    iou miou giou dice bleu sacrebleu chrf rouge rougel rougelsum meteor cider spice r2 psnr ssim msssim score reward
    rewards return returns ndcg mrr hits likelihood loglikelihood elbo pearson spearman kendall corr correlation kappa mcc
    sensitivity specificity success winrate pck nmi ari purity silhouette coverage
    """
)
_NEUTRAL = words("gnorm gradnorm norm mfu hfu lnz klcoef clipfrac advantage advantages qvalue")
_SETTING = words(
    """
    weight weights target targets min max best threshold thresholds thresh coef coeff coefficient scale factor decay patience
    smoothing size seed num number dim dropout momentum warmup limit clip clipping interval every freq frequency delta fn
    func function type version port id pid count samples sample examples tokens params parameters monitor mode
    start initial init previous prev baseline reference expected goal path file dir config schedule scheduler optimizer
    beta betas eps epsilon gamma alpha workers worker device gpu cuda port bits bytes
    """
)
"""A name with one of these is that of a setting or of a count: `loss_weight`, `target_accuracy`, `best_score`."""

_CONFIG = words(
    """
    batch_size batchsize bs optimizer optim momentum weight_decay seed epochs num_epochs max_epochs n_epochs max_steps
    num_workers workers dropout model arch architecture dataset device warmup warmup_steps scheduler lr_scheduler
    learning_rate_schedule hidden hidden_size layers num_layers heads betas eps patience label_smoothing
    gradient_accumulation_steps per_device_train_batch_size total_steps num_train_epochs n_estimators max_depth
    """
)
_TIMES = words(
    """
    time eta elapsed remaining duration dur seconds secs sec runtime dt data batch_time data_time iter_time step_time took
    wall walltime cumtime ms remaining_time elapsed_time epoch_time train_time val_time eval_time time_per_step
    ts timestamp unixtime unix_time date datetime now uptime
    """
)
_MEMORY = words("mem memory vram ram gpu_mem gpumem cuda_mem max_mem peak_mem allocated reserved")
_MACHINE = words("rss vms swap free used power temp temperature watt watts celsius util utilization utilisation cpu fan heap")
"""What a machine does. A forecast may be of one of these: `power_mae` is a measurement."""
_HARDWARE = _MACHINE | words("mem memory ram vram disk io net")
_COUNTED = words("progress pct percent percentage offset")
_VERSIONS = words("torch pytorch torchvision python cudnn numpy tensorflow keras jax sklearn transformers lightning uuid guid")
_RATE = re.compile(
    r"(?:^|_)(?:it|its|steps?|samples?|images?|imgs?|img|tokens?|tok|words?|w|wps|ups|fps|examples?|batch(?:es)?|"
    r"sequences?|seqs?|items?|frames?)?(?:/s|/sec|/second|_per_s|_per_sec|_per_second|ps)$|^throughput$|^speed$"
)
_LR = words("lr learning_rate learningrate learn_rate lr0 lr_0 lr-adam lr-sgd lr-adamw")
EPOCHS = words("epoch ep")
STEPS = words("step steps iter iters iteration iterations it batch batches global_step globalstep update updates round")
PHASES = {
    **dict.fromkeys(words("train training trn tr"), Phase.TRAIN),
    **dict.fromkeys(words("val valid validation validate validating eval evaluation evaluating dev holdout vld"), Phase.VAL),
    **dict.fromkeys(words("test testing tst"), Phase.TEST),
}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Kind(Enum):
    """What the number behind a name is."""

    METRIC = "metric"
    """By its name surely a measurement."""
    OTHER = "other"
    """Perhaps one: the place where it stands has to tell."""
    SETTING = "setting"
    EPOCH = "epoch"
    STEP = "step"
    LR = "lr"
    TIME = "time"
    RATE = "rate"
    MEMORY = "memory"


@lru_cache(maxsize=4096)
def parts(name: str) -> tuple[str, ...]:
    """The words within a name, in lower case: `valLoss`, `train/loss_cls` and `acc@1` have two, three and two."""
    return tuple(part.lower() for part in _PART.findall(name))


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind:
    low = name.lower().strip("_")
    if low in EPOCHS or low == "current_epoch":
        return Kind.EPOCH
    if low in STEPS:
        return Kind.STEP
    if low in _LR or low.endswith(("/lr", "/learning_rate")) or low.startswith(("lr/", "lr-", "learning_rate/")):
        return Kind.LR
    if low in _CONFIG:
        return Kind.SETTING
    within = parts(name)
    if low in _TIMES or low.startswith(("ms/", "s/", "sec/")) or low.endswith(("_time", "_seconds", "_runtime", "_ms")):
        return Kind.TIME
    if _RATE.search(low):
        return Kind.RATE
    if low in _MEMORY or (within and within[-1] in ("mem", "memory", "mib", "mb", "gb", "gib", "bytes")):
        return Kind.MEMORY
    if not _SETTING.isdisjoint(within):
        return Kind.SETTING
    if any(_is_measure(part) for part in within) or _joined(within):
        return Kind.METRIC
    if low in _VERSIONS or low in _COUNTED:
        return Kind.SETTING
    if within and (within[-1] in _MACHINE or (within[0] in _HARDWARE and within[-1] in _COUNTED)):
        return Kind.MEMORY
    return Kind.OTHER


def is_config(name: str) -> bool:
    """Whether a line with this name tells how a training is set up."""
    return name.lower() in _CONFIG


def _is_measure(part: str) -> bool:
    return part in _DOWN or part in _UP or part in _NEUTRAL


def _joined(within: tuple[str, ...]) -> bool:
    # Figures are parts of their own: the 1 of f1, the 2 of r2.
    return any(one + two in _UP or one + two in _DOWN for one, two in itertools.pairwise(within))


def better(name: str) -> int:
    """-1 where lower is better, 1 where higher is, 0 where the name does not tell."""
    within = parts(name)
    pairs = [one + two for one, two in itertools.pairwise(within)]
    if "cumulative" in within:
        return 0
    if any(part in _DOWN for part in within) or any(pair in _DOWN or pair in ("l1", "l2") for pair in pairs):
        # The entropy of a policy and a likelihood have no good direction that their names would tell.
        return 0 if within == ("entropy",) or "policy" in within else -1
    if any(part in _UP for part in within) or any(pair in _UP for pair in pairs):
        return 1
    return 0


def phase_of(name: str) -> Phase | None:
    """`val_loss`, `eval/acc`, `test-auc`: what its first word says."""
    within = parts(name)
    return PHASES.get(within[0]) if within else None


@lru_cache(maxsize=4096)
def safe(name: str) -> Clean:
    """A name as it is kept: short, and safe to show."""
    return clean(name.strip(), limit=80)
