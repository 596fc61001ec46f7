"""What crosses a real RabbitMQ."""
