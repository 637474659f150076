<?php
declare(strict_types=1);
// Bicycles by the hour.
require __DIR__ . '/src/Database.php';
require __DIR__ . '/src/Fleet.php';
require __DIR__ . '/src/Rentals.php';
require __DIR__ . '/src/Log.php';

header('Content-Type: application/json');
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

try {
    if ($path === '/up') {
        echo '{"up":true}';
    } elseif (preg_match('#^/stations/(\d+)/bikes$#', $path, $m)) {
        echo json_encode(Fleet::at((int) $m[1]));
    } elseif (preg_match('#^/bikes/(\d+)$#', $path, $m)) {
        $bike = Fleet::bike((int) $m[1]);
        http_response_code($bike === null ? 404 : 200);
        echo json_encode($bike ?? ['error' => 'no such bike']);
    } elseif ($path === '/rentals' && $_SERVER['REQUEST_METHOD'] === 'POST') {
        $body = json_decode(file_get_contents('php://input'), true, 8, JSON_THROW_ON_ERROR);
        http_response_code(201);
        echo json_encode(['id' => Rentals::begin((int) $body['bike'], (int) $body['rider'])]);
    } elseif (preg_match('#^/riders/(\d+)/rentals$#', $path, $m)) {
        echo json_encode(Rentals::of((int) $m[1]));
    } else {
        http_response_code(404);
        echo '{"error":"not found"}';
    }
} catch (Throwable $e) {
    Log::error($e);
    http_response_code(500);
    echo '{"error":"server error"}';
}
