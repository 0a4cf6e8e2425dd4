"""The log on Apache Kafka (extra `kafka`): topics, groups and transactions are Kafka's own."""

from modelstream.log.kafka.address import KafkaAddress, kafka_address
from modelstream.log.kafka.log import KafkaLog

__all__ = ["KafkaAddress", "KafkaLog", "kafka_address"]
