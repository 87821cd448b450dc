from classifier.admin.model_record import ModelRecordAdmin

__all__ = ["ModelRecordAdmin"]
