"""Data sets, evaluations and comparisons as rows."""

from evaluation.models.comparison import ClassPlace, Comparison, OpenedImage
from evaluation.models.data_set import DataSet, LabelledImage
from evaluation.models.evaluation import Evaluation, FailedImage, Inference, OperatingPoint
from evaluation.models.map_check import MapCheck, MapFigure
from evaluation.models.setting_check import SettingAnswers, SettingCheck
from evaluation.models.training_set import TrainingSet

__all__ = [
    "ClassPlace",
    "Comparison",
    "DataSet",
    "Evaluation",
    "FailedImage",
    "Inference",
    "LabelledImage",
    "MapCheck",
    "MapFigure",
    "OpenedImage",
    "OperatingPoint",
    "SettingAnswers",
    "SettingCheck",
    "TrainingSet",
]
