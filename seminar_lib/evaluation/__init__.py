"""Measure a model honestly: under the worst of several attacks, with n and an interval, image by image."""

from __future__ import annotations

from seminar_lib.evaluation.accuracy import Accuracy
from seminar_lib.evaluation.auroc import AUROC
from seminar_lib.evaluation.cards import on_card
from seminar_lib.evaluation.certified import CertifiedReport, certify_set
from seminar_lib.evaluation.curve import Curve, accuracy_against_eps
from seminar_lib.evaluation.detection import DetectionReport, evaluate_detector
from seminar_lib.evaluation.graybox import GrayBox, gray_box
from seminar_lib.evaluation.loss import mean_loss
from seminar_lib.evaluation.paired import Paired
from seminar_lib.evaluation.purified import evaluate_purified
from seminar_lib.evaluation.purified_report import PurifiedReport
from seminar_lib.evaluation.report import Report, evaluate, versions

__all__ = [
    "AUROC",
    "Accuracy",
    "CertifiedReport",
    "Curve",
    "DetectionReport",
    "GrayBox",
    "Paired",
    "PurifiedReport",
    "Report",
    "accuracy_against_eps",
    "certify_set",
    "evaluate",
    "evaluate_detector",
    "evaluate_purified",
    "gray_box",
    "mean_loss",
    "on_card",
    "versions",
]
