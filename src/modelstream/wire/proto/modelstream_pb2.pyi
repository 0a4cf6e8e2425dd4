from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelDescriptor(_message.Message):
    __slots__ = ("name", "description", "dataType", "modeltype", "data", "location", "version", "digest", "created_at_ms", "feature_names", "labels", "metrics", "golden", "publisher", "action", "signature", "key_id", "signature_name", "policy", "order")
    class ModelType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TENSORFLOW: _ClassVar[ModelDescriptor.ModelType]
        TENSORFLOWSAVED: _ClassVar[ModelDescriptor.ModelType]
        PMML: _ClassVar[ModelDescriptor.ModelType]
        PFA: _ClassVar[ModelDescriptor.ModelType]
        ONNX: _ClassVar[ModelDescriptor.ModelType]
        XGBOOST: _ClassVar[ModelDescriptor.ModelType]
        LIGHTGBM: _ClassVar[ModelDescriptor.ModelType]
        CATBOOST: _ClassVar[ModelDescriptor.ModelType]
        PIPELINE: _ClassVar[ModelDescriptor.ModelType]
        REMOTE: _ClassVar[ModelDescriptor.ModelType]
    TENSORFLOW: ModelDescriptor.ModelType
    TENSORFLOWSAVED: ModelDescriptor.ModelType
    PMML: ModelDescriptor.ModelType
    PFA: ModelDescriptor.ModelType
    ONNX: ModelDescriptor.ModelType
    XGBOOST: ModelDescriptor.ModelType
    LIGHTGBM: ModelDescriptor.ModelType
    CATBOOST: ModelDescriptor.ModelType
    PIPELINE: ModelDescriptor.ModelType
    REMOTE: ModelDescriptor.ModelType
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PUBLISH: _ClassVar[ModelDescriptor.Action]
        STAGE: _ClassVar[ModelDescriptor.Action]
        PROMOTE: _ClassVar[ModelDescriptor.Action]
        ROLLBACK: _ClassVar[ModelDescriptor.Action]
        RETIRE: _ClassVar[ModelDescriptor.Action]
        PLAN: _ClassVar[ModelDescriptor.Action]
        RELEASE: _ClassVar[ModelDescriptor.Action]
        MEASURE: _ClassVar[ModelDescriptor.Action]
    PUBLISH: ModelDescriptor.Action
    STAGE: ModelDescriptor.Action
    PROMOTE: ModelDescriptor.Action
    ROLLBACK: ModelDescriptor.Action
    RETIRE: ModelDescriptor.Action
    PLAN: ModelDescriptor.Action
    RELEASE: ModelDescriptor.Action
    MEASURE: ModelDescriptor.Action
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    MODELTYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_NAMES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    dataType: str
    modeltype: ModelDescriptor.ModelType
    data: bytes
    location: str
    version: str
    digest: str
    created_at_ms: int
    feature_names: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.RepeatedScalarFieldContainer[str]
    metrics: _containers.ScalarMap[str, float]
    golden: _containers.RepeatedCompositeFieldContainer[GoldenRecord]
    publisher: str
    action: ModelDescriptor.Action
    signature: bytes
    key_id: str
    signature_name: str
    policy: str
    order: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., dataType: _Optional[str] = ..., modeltype: _Optional[_Union[ModelDescriptor.ModelType, str]] = ..., data: _Optional[bytes] = ..., location: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., feature_names: _Optional[_Iterable[str]] = ..., labels: _Optional[_Iterable[str]] = ..., metrics: _Optional[_Mapping[str, float]] = ..., golden: _Optional[_Iterable[_Union[GoldenRecord, _Mapping]]] = ..., publisher: _Optional[str] = ..., action: _Optional[_Union[ModelDescriptor.Action, str]] = ..., signature: _Optional[bytes] = ..., key_id: _Optional[str] = ..., signature_name: _Optional[str] = ..., policy: _Optional[str] = ..., order: _Optional[str] = ...) -> None: ...

class GoldenRecord(_message.Message):
    __slots__ = ("record_json", "outputs_json", "tolerance")
    RECORD_JSON_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_JSON_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    record_json: str
    outputs_json: str
    tolerance: float
    def __init__(self, record_json: _Optional[str] = ..., outputs_json: _Optional[str] = ..., tolerance: _Optional[float] = ...) -> None: ...
