from classifier.models.admission import Admission
from classifier.models.case import Case, CaseImage
from classifier.models.explanation import Explanation, ExplanationJob
from classifier.models.model_record import ModelRecord
from classifier.models.prediction import Prediction

__all__ = ["Admission", "Case", "CaseImage", "Explanation", "ExplanationJob", "ModelRecord", "Prediction"]
