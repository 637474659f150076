# frozen_string_literal: true

# The box office of a few theatres.
require 'json'
require 'logger'
require 'mysql2'
require 'sinatra/base'
require_relative 'lib/store'
require_relative 'lib/shows'
require_relative 'lib/bookings'

LOG = Logger.new($stdout, level: Logger::INFO)

class BoxOffice < Sinatra::Base
  set :show_exceptions, false
  set :raise_errors, false
  set :dump_errors, false
  set :logging, false

  before do
    @began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    content_type :json
  end

  after do
    ms = ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - @began) * 1000).round
    LOG.info("Completed #{response.status} for #{request.request_method} \"#{request.fullpath}\" in #{ms}ms") unless request.path == '/up'
  end

  get('/up') { { up: true }.to_json }

  get('/shows') { Shows.soon.to_json }

  get '/shows/:id' do |id|
    show = Shows.find(Integer(id))
    halt 404, { error: 'no such show' }.to_json unless show
    show.to_json
  end

  post '/shows/:id/bookings' do |id|
    body = JSON.parse(request.body.read)
    booking = Bookings.book(Integer(id), body['customer'], body['seats'])
    halt 409, { error: 'sold out' }.to_json unless booking
    status 201
    booking.to_json
  end

  get('/customers/:id/bookings') { |id| Bookings.of(Integer(id)).to_json }

  error do
    e = env['sinatra.error']
    LOG.error("#{e.class} (#{e.message}):\n#{e.backtrace.grep(%r{/srv/|mysql2}).first(8).map { |l| "  #{l}" }.join("\n")}")
    { error: 'something went wrong' }.to_json
  end
end
